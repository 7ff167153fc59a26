import { sql } from 'kysely'

/** Each reads one table from end to end, be it by an index. */
const waysOfWholeTables = ['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'enable_material']

/**
 * Lets the database plan every lookup by an index, however small the table is, and once a connection. A plan is made when a statement is first used and is kept: one that
 * reads a table of ten rows from end to end would go on doing so while the table grows to a hundred thousand, until PostgreSQL has analysed it anew. Such a plan counts
 * as immensely expensive where nothing else can be done, for which the compiler of plans would be started. Left to itself PostgreSQL plans a statement anew each time
 * where it takes the values of that time for cheap, as it does with the limit of a page of a large table, and to plan takes longer than to read the page.
 */
export const planByIndex = [...waysOfWholeTables, 'jit']
  .map((way) => `set ${way} = off`)
  .concat('set plan_cache_mode = force_generic_plan')
  .join('; ')

/** Sent first in a transaction that reads whole tables. */
export const planForWholeTables = sql`select ${sql.join(waysOfWholeTables.map((way) => sql`set_config(${way}, 'on', true)`))}, set_config('plan_cache_mode', 'auto', true)`

/**
 * Lets the database look, while it carries out a statement, whether its client is still there. Without it a statement that was given up would wait on for a
 * lock, keep its connection, and be done long after its request was answered with 503. A server that runs where it cannot look goes without.
 */
export const endWithClient = "set client_connection_check_interval = '2s'"
