import { upstreamUnavailable } from '../../plugins/http/errors/kinds.ts'
import { isPlaidFailure, type PlaidClient } from '../../plugins/plaid/index.ts'
import type { Page } from './changes.ts'
import type { History } from './tables.ts'

const pageSize = 500
const maxPages = 400
const maxRestarts = 5

/** All pages from one cursor to the end. */
export interface Changes {
  pages: Page[]
  /** The accounts that the pages list, as Plaid sent them. They need not be all of the item. */
  accounts: unknown[]
  /** Plaid's cursor after them; null while Plaid has none yet. */
  cursor: string | null
  /** How much of the history Plaid has; undefined when it does not say. */
  history: History | undefined
}

const histories = new Map<unknown, History>([
  ['NOT_READY', 'loading'],
  ['INITIAL_UPDATE_COMPLETE', 'recent'],
  ['HISTORICAL_UPDATE_COMPLETE', 'complete']
])

/** Reads all pages from a cursor. Only the last cursor may be stored: those in between become invalid. */
const readPages = async (client: PlaidClient, accessToken: string, from: string | null): Promise<Changes> => {
  const pages: Page[] = []
  const accounts = new Map<string, unknown>()
  let cursor = from ?? ''
  while (pages.length < maxPages) {
    const at = cursor === '' ? {} : { cursor }
    // Banks' data can break the contract that the type states.
    const page: Partial<
      Record<keyof Page | 'accounts' | 'next_cursor' | 'has_more' | 'transactions_update_status', unknown>
    > = await client.call((api) => api.transactionsSync({ access_token: accessToken, count: pageSize, ...at }), {
      repeatable: true
    })
    if (typeof page.next_cursor !== 'string') throw upstreamUnavailable('Plaid returned a page without a cursor.')
    pages.push({ added: page.added, modified: page.modified, removed: page.removed })
    // Every page repeats its accounts.
    for (const account of Array.isArray(page.accounts) ? (page.accounts as unknown[]) : [])
      accounts.set(JSON.stringify(account), account)
    cursor = page.next_cursor
    if (page.has_more !== true)
      return {
        pages,
        accounts: [...accounts.values()],
        cursor: cursor === '' ? null : cursor,
        history: histories.get(page.transactions_update_status)
      }
  }
  throw upstreamUnavailable(`Plaid returned more than ${maxPages} pages of transactions for one item.`)
}

/**
 * Reads all pages, restarting when the item changes during pagination, as Plaid requires.
 * @throws PlaidFailure, see `isCursorRefusal`
 * @throws ProblemError 502 `upstream_unavailable`
 */
export const readChanges = async (client: PlaidClient, accessToken: string, from: string | null): Promise<Changes> => {
  for (let restart = 0; restart <= maxRestarts; restart++) {
    try {
      return await readPages(client, accessToken, from)
    } catch (error) {
      if (!isPlaidFailure(error, 'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION')) throw error
    }
  }
  throw upstreamUnavailable('The transactions kept changing while they were read. Retry soon.')
}

/** Whether Plaid refused the cursor of a sync. The rest of the request is always the same. */
export const isCursorRefusal = (error: unknown): boolean =>
  isPlaidFailure(error) &&
  ['INVALID_REQUEST', 'INVALID_INPUT', 'TRANSACTIONS_ERROR'].includes(error.errorType) &&
  (error.errorCode === 'INVALID_FIELD' || error.errorCode.includes('CURSOR'))
