import type { Kysely, Transaction } from 'kysely'

/** Every table of the server; each module merges its own row types into it. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- filled by declaration merging
export interface Database {}

export type Db = Kysely<Database>
export type Trx = Transaction<Database>
