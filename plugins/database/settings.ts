import { sql } from 'kysely'

/** Each reads one table from end to end, be it by an index. */
const waysOfWholeTables = ['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'enable_material']

/**
 * Lets the database plan every lookup by an index, however small the table is. A plan is made when a statement is first used and is kept: one that reads a table
 * of ten rows from end to end would go on doing so while the table grows to a hundred thousand, until PostgreSQL has analysed it anew. Such a plan counts as
 * immensely expensive where nothing else can be done, for which the compiler of plans would be started.
 */
export const planByIndex = [...waysOfWholeTables, 'jit'].map((way) => `set ${way} = off`).join('; ')

/** Sent first in a transaction that reads whole tables. */
export const planForWholeTables = sql`select ${sql.join(waysOfWholeTables.map((way) => sql`set_config(${way}, 'on', true)`))}`

/**
 * Lets the database look, while it carries out a statement, whether its client is still there. Without it a statement that was given up would wait on for a
 * lock, keep its connection, and be done long after its request was answered with 503. A server that runs where it cannot look goes without.
 */
export const endWithClient = "set client_connection_check_interval = '2s'"
