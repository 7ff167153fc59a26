import type { Kysely, Transaction } from 'kysely'

/** Every table of the database. Each domain merges its own rows in from its `tables.ts`. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- filled by declaration merging
export interface Database {}

export type Db = Kysely<Database>
export type Trx = Transaction<Database>
