import { canary } from './strange-text.ts'

/** How many values of one name or prefix are kept. New ones replace the oldest, so that later requests use resources that still exist. */
const mostEach = 40

/** Identifiers from responses, by field name and by prefix, so that later requests use real ones. */
export class Pool {
  readonly #known = new Map<string, string[]>()

  /** Collects every identifier in a response, except text that a tenant wrote. */
  collectIds(value: unknown, name = ''): void {
    if (Array.isArray(value)) return value.forEach((entry) => this.collectIds(entry, name))
    if (typeof value === 'object' && value !== null)
      return Object.entries(value).forEach(([key, entry]) => this.collectIds(entry, key))
    if ((typeof value !== 'string' && typeof value !== 'number') || !/^id$|_id$|Id$|^key$|token$|cursor$/.test(name))
      return
    const text = String(value)
    if (text === '' || text.length > 300 || text.toLowerCase().includes(canary)) return
    this.#keep(name.replace('next_cursor', 'cursor'), text)
    const prefix = /^[a-z]+[_-]/.exec(text)?.[0]
    if (prefix !== undefined) this.#keep(prefix, text)
  }

  #keep(slot: string, text: string): void {
    const values = this.#known.get(slot) ?? []
    if (values.includes(text)) return
    values.push(text)
    if (values.length > mostEach) values.shift()
    this.#known.set(slot, values)
  }

  /** A known value for a field, by the prefix of its example or by its name; undefined when there is none. */
  pick(name: string, example: unknown, index: number): string | undefined {
    const prefix = typeof example === 'string' ? /^[a-z]+[_-]/.exec(example)?.[0] : undefined
    const values = (prefix === undefined ? undefined : this.#known.get(prefix)) ?? this.#known.get(name)
    return values?.[index % values.length]
  }
}
