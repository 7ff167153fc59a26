import assert from 'node:assert/strict'
import type { World } from './world.ts'

export interface ReadOptions {
  limit?: number
  since?: string
  /** Starts at this cursor. Without one the server continues where it stopped. */
  from?: string
}

/** A careful client: stores changed transactions, deletes removed ones, and keeps the last cursor. */
export class FeedClient {
  view = new Map<string, Record<string, unknown>>()
  /** Undefined before the first response. */
  cursor: string | undefined
  readonly #world: Pick<World, 'get'>
  readonly #userId: string

  constructor(world: Pick<World, 'get'>, userId: string) {
    this.#world = world
    this.#userId = userId
  }

  /** Requests one page and ignores the response, as when it is lost. */
  async requestPage({ limit = 500, since, from }: ReadOptions = {}) {
    const query = `${since === undefined ? '' : `&since=${since}`}${from === undefined ? '' : `&cursor=${encodeURIComponent(from)}`}`
    return await this.#world.get(`/v1/transactions?user_id=${this.#userId}&limit=${limit}${query}`)
  }

  /** Reads one page into the view. Returns undefined when the response is not a page. */
  async read(options: ReadOptions = {}): Promise<{ hasMore: boolean; stale: boolean } | undefined> {
    const { status, body, text } = await this.requestPage(options)
    if (status >= 500) return undefined
    assert.equal(status, 200, text)
    if (options.from === '') this.view.clear()
    for (const row of body.transactions) this.view.set(row.transaction_id, row)
    for (const { transaction_id } of body.removed) this.view.delete(transaction_id)
    this.cursor = body.next_cursor
    return { hasMore: body.has_more, stale: body.stale === true }
  }

  /** Reads to the end. @returns the number of pages. */
  async drain(options: ReadOptions = {}): Promise<number> {
    let from = options.from
    for (let pages = 1; ; pages++) {
      const page = await this.read({ ...options, ...(from === undefined ? {} : { from }) })
      assert(page !== undefined, 'the server returned no page')
      if (!page.hasMore) return pages
      from = options.from === undefined ? undefined : this.cursor
    }
  }
}
