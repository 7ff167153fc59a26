import { sql } from 'kysely'
import { stringifyStorable } from '../../../plugins/database/storable-json.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { OddRecord } from '../records.ts'
import '../tables.ts'

/** The most that is kept of each item; further odd records are left out until some of these turn sound. */
export const mostQuarantined = 100
const mostCharacters = 16_384

type Kept = Pick<OddRecord, 'kind' | 'key' | 'fault'>

/** Keeps odd records of an item aside. @returns those that were not kept before. */
export const keepAside = async (trx: Trx, itemId: string, odd: OddRecord[], now: Date): Promise<Kept[]> => {
  if (odd.length === 0) return []
  const byKey = new Map(odd.map(({ kind, key, fault, record }) => [`${kind} ${key}`, { kind, key, fault, record }]))
  const rows = [...byKey.values()].slice(0, mostQuarantined).map(({ record, ...row }) => {
    const text = stringifyStorable(record) ?? 'null'
    return { ...row, record: text.length > mostCharacters ? null : record }
  })
  const kept = await sql<Kept & { isNew: boolean }>`
    with given as (
      select r.*, exists (select from quarantined_records q where q.item_id = ${itemId} and q.kind = r.kind and q.record_key = r.key) as known
      from jsonb_to_recordset(${stringifyStorable(rows)}::jsonb) as r(kind text, key text, fault text, record jsonb)
    ), numbered as (
      select *, row_number() over (partition by known order by kind, key) as place from given
    )
    insert into quarantined_records as kept (item_id, kind, record_key, fault, record, seen_at)
    select items.id, kind, key, fault, record, ${now} from items cross join numbered
    where items.id = ${itemId}
      and (known or place + (select count(*) from quarantined_records q where q.item_id = ${itemId}) <= ${sql.lit(mostQuarantined)})
    order by kind, key
    on conflict (item_id, kind, record_key) do update set fault = excluded.fault, record = excluded.record, seen_at = excluded.seen_at
    where (kept.fault, kept.record) is distinct from (excluded.fault, excluded.record)
    returning kind, record_key as key, fault, xmax = 0 as "isNew"`.execute(trx)
  return kept.rows.filter(({ isNew }) => isNew)
}

/** The odd transactions of an item with a fault, as Plaid sent them, to be tried again. */
export const listQuarantined = async (db: Db, itemId: string, fault: string): Promise<unknown[]> => {
  const rows = await db
    .selectFrom('quarantined_records')
    .select('record')
    .where('item_id', '=', itemId)
    .where('kind', '=', 'transaction')
    .where('fault', '=', fault)
    .where('record', 'is not', null)
    .execute()
  return rows.map(({ record }) => record)
}

/** Forgets odd transactions of an item that have a later, sound version. */
export const releaseTransactions = async (trx: Trx, itemId: string, keys: string[]): Promise<void> => {
  if (keys.length === 0) return
  await trx
    .deleteFrom('quarantined_records')
    .where('item_id', '=', itemId)
    .where('kind', '=', 'transaction')
    .where('record_key', '=', (eb) => eb.fn.any(eb.val(keys)))
    .execute()
}

/** Forgets the odd transactions and removals of an item except some. */
export const releaseAllBut = async (trx: Trx, itemId: string, keys: string[]): Promise<void> => {
  await trx
    .deleteFrom('quarantined_records')
    .where('item_id', '=', itemId)
    .where('kind', '<>', 'account')
    .where((eb) => eb.not(eb('record_key', '=', eb.fn.any(eb.val(keys)))))
    .execute()
}
