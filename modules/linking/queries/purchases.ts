import { sql } from 'kysely'
import type { Db } from '../../../plugins/database/types.ts'
import '../tables.ts'

/** A purchase as it stands: of its posted transaction if there is one, else of its pending one. */
export interface Purchase {
  id: string
  /** Null when both are removed. */
  amountCents: number | null
  isoCurrencyCode: string | null
  category: string | null
  /** The date on which it happened. */
  date: string | null
}

/** Reads how purchases stand. */
export const readPurchases = async (db: Db, ids: string[]): Promise<Purchase[]> => {
  if (ids.length === 0) return []
  const { rows } = await sql<Purchase>`
    select wanted.id, latest.amount_cents as "amountCents", latest.iso_currency_code as "isoCurrencyCode", latest.category, latest.date
    from unnest(${ids}::text[]) as wanted(id) left join lateral (
      select amount_cents, iso_currency_code, category, coalesce(authorized_date, date) as date from (
        select * from transactions where id = wanted.id and not removed
        union all select * from transactions where pending_transaction_id = wanted.id and not removed
      ) as versions order by pending, id limit 1
    ) as latest on true`.execute(db)
  return rows
}
