import { LRUCache } from 'lru-cache'

/** Keeps the latest results by key, and lets concurrent calls with one key share a computation. */
export interface ResultCache<T> {
  get(key: string, compute: () => Promise<T>): Promise<T>
}

/** @param max the number of results; the least recently used is dropped when there are more. */
export const createResultCache = <T>(max: number): ResultCache<T> => {
  const results = new LRUCache<string, Promise<T>>({ max })
  return {
    get(key, compute) {
      const known = results.get(key)
      if (known !== undefined) return known
      const result = compute()
      results.set(key, result)
      result.catch(() => {
        if (results.peek(key) === result) results.delete(key)
      })
      return result
    }
  }
}
