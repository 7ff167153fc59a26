import assert from 'node:assert/strict'
import type { World } from './world.ts'

export interface ReadOptions {
  limit?: number
  since?: string
  /** Begins at this cursor; without one the server goes on where it stopped. */
  from?: string
}

/** What a careful client does: it puts changed transactions into its store, takes removed ones out, and keeps the last cursor that it got. */
export class FeedClient {
  view = new Map<string, Record<string, unknown>>()
  /** Undefined before the first answer. */
  cursor: string | undefined
  readonly #world: Pick<World, 'get'>
  readonly #userId: string

  constructor(world: Pick<World, 'get'>, userId: string) {
    this.#world = world
    this.#userId = userId
  }

  /** Asks for one page without looking at the answer, as when it is lost. */
  async ask({ limit = 500, since, from }: ReadOptions = {}) {
    const query = `${since === undefined ? '' : `&since=${since}`}${from === undefined ? '' : `&cursor=${encodeURIComponent(from)}`}`
    return await this.#world.get(`/v1/transactions?user_id=${this.#userId}&limit=${limit}${query}`)
  }

  /** Reads one page into the view. Undefined when the server did not answer with one. */
  async read(options: ReadOptions = {}): Promise<{ hasMore: boolean; stale: boolean } | undefined> {
    const { status, body, text } = await this.ask(options)
    if (status >= 500) return undefined
    assert.equal(status, 200, text)
    if (options.from === '') this.view.clear()
    for (const row of body.transactions) this.view.set(row.transaction_id, row)
    for (const { transaction_id } of body.removed) this.view.delete(transaction_id)
    this.cursor = body.next_cursor
    return { hasMore: body.has_more, stale: body.stale === true }
  }

  /** Reads to the end. @returns how many pages that took. */
  async drain(options: ReadOptions = {}): Promise<number> {
    let from = options.from
    for (let pages = 1; ; pages++) {
      const page = await this.read({ ...options, ...(from === undefined ? {} : { from }) })
      assert(page !== undefined, 'the server did not answer')
      if (!page.hasMore) return pages
      from = options.from === undefined ? undefined : this.cursor
    }
  }
}
