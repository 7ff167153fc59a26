/** Keeps the latest results by key, and lets concurrent calls with one key share a computation. */
export interface ResultCache<T> {
  get(key: string, compute: () => Promise<T>): Promise<T>
}

/** @param capacity the number of results; the least recently used is dropped when there are more. */
export const createResultCache = <T>(capacity: number): ResultCache<T> => {
  const results = new Map<string, Promise<T>>()
  return {
    get(key, compute) {
      const result = results.get(key) ?? compute()
      results.delete(key)
      results.set(key, result)
      const [oldest] = results.keys()
      if (results.size > capacity && oldest !== undefined) results.delete(oldest)
      result.catch(() => {
        if (results.get(key) === result) results.delete(key)
      })
      return result
    }
  }
}
