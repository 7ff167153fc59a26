import { sql, type RawBuilder } from 'kysely'
import type { Db } from '../../plugins/database/types.ts'
import { invalidRequest } from './errors.ts'
import type { Params } from './params.ts'

export interface Page {
  limit: number
  startingAfter?: string
  endingBefore?: string
  createdConditions: RawBuilder<boolean>
}

type ListedTable =
  | 'simulators.stripe_sessions'
  | 'simulators.stripe_payments'
  | 'simulators.stripe_refunds'
  | 'simulators.stripe_disputes'
  | 'simulators.stripe_event_log'

const comparisons = { gt: sql`>`, gte: sql`>=`, lt: sql`<`, lte: sql`<=` }
const maxUnixSeconds = 100_000_000_000

/** Reads `limit`, `starting_after`, `ending_before` and `created`, which all of Stripe's lists have. */
export const readPage = (params: Params): Page => {
  const page: Page = {
    limit: params.integer('limit', { min: 1, max: 100 }) ?? 10,
    startingAfter: params.string('starting_after', 255),
    endingBefore: params.string('ending_before', 255),
    createdConditions: readCreated(params)
  }
  if (page.startingAfter !== undefined && page.endingBefore !== undefined) {
    throw invalidRequest('You may specify only one of these parameters: ending_before, starting_after.')
  }
  return page
}

const readCreated = (params: Params): RawBuilder<boolean> => {
  const bounds = { min: 0, max: maxUnixSeconds }
  const exact = params.scalar('created') ? params.integer('created', bounds) : undefined
  const conditions =
    exact === undefined ? [] : [sql<boolean>`date_trunc('second', t.created_at) = to_timestamp(${exact}::int8)`]
  const range = exact === undefined ? params.object('created') : undefined
  for (const [name, operator] of Object.entries(comparisons)) {
    const seconds = range?.integer(name, bounds)
    if (seconds !== undefined)
      conditions.push(sql<boolean>`date_trunc('second', t.created_at) ${operator} to_timestamp(${seconds}::int8)`)
  }
  return conditions.length === 0 ? sql<boolean>`true` : sql<boolean>`(${sql.join(conditions, sql` and `)})`
}

/**
 * Condition and order for one page of a table with the alias `t`, newest first. Its `limit` is one row more than the page, which
 * shows `listOf` whether there are more.
 */
export const pageClause = async (
  db: Db,
  table: ListedTable,
  idColumn: 'id' | 'payment_intent_id' | 'charge_id',
  page: Page
): Promise<{ where: RawBuilder<boolean>; order: RawBuilder<unknown>; limit: number }> => {
  const cursor = page.startingAfter ?? page.endingBefore
  const order = page.endingBefore === undefined ? sql`t.sequence desc` : sql`t.sequence asc`
  if (cursor === undefined) return { where: page.createdConditions, order, limit: page.limit + 1 }
  const found = await sql<{
    sequence: number
  }>`select sequence from ${sql.table(table)} where ${sql.ref(idColumn)} = ${cursor}`.execute(db)
  const sequence = found.rows[0]?.sequence
  if (sequence === undefined) {
    const param = page.startingAfter === undefined ? 'ending_before' : 'starting_after'
    throw invalidRequest(`No such object: '${cursor}'`, { code: 'resource_missing', param })
  }
  const side = page.endingBefore === undefined ? sql`t.sequence < ${sequence}` : sql`t.sequence > ${sequence}`
  return { where: sql<boolean>`${page.createdConditions} and ${side}`, order, limit: page.limit + 1 }
}

/** Stripe's list object, from up to `limit + 1` rows. */
export const listOf = <Row>(url: string, page: Page, rows: Row[], render: (row: Row) => object) => {
  const shown = rows.slice(0, page.limit)
  if (page.endingBefore !== undefined) shown.reverse()
  return { object: 'list' as const, url, has_more: rows.length > page.limit, data: shown.map(render) }
}
