import { sql, type RawBuilder } from 'kysely'
import { readAtLeisure } from '../database/time-limit.ts'
import type { Db } from '../database/types.ts'

/** A place where the ledger breaks an invariant. */
export interface Fault {
  invariant: string
  /** The wallet, transaction or guard at fault, and what was found there. */
  where: string
}

export interface Verification {
  faults: Fault[]
  wallets: number
  transactions: number
  entries: number
}

interface Invariant {
  name: string
  /** Returns one row per breach, described in words. One statement, so that it reads a single snapshot. */
  breaches: RawBuilder<{ breach: string }>
}

const mostFaultsPerInvariant = 100

/** The triggers that protect the tables; without them a fault could come and go between two verifications. */
const guards = [
  'ledger_entries_immutable',
  'ledger_entries_kept',
  'ledger_entries_move_balance',
  'ledger_entries_sum_to_zero',
  'ledger_transactions_immutable',
  'ledger_transactions_kept',
  'ledger_wallets_begin_empty',
  'ledger_wallets_kept',
  'ledger_wallets_moved_by_entries'
]

const invariants: Invariant[] = [
  {
    name: 'the entries of each transaction sum to zero',
    breaches: sql`select 'transaction ' || transaction_id || ': the sum is ' || sum(amount_cents) || ' cents' as breach
      from ledger_entries group by transaction_id having sum(amount_cents) <> 0`
  },
  {
    name: 'each transaction has two entries or more',
    breaches: sql`select 'transaction ' || t.id || ': ' || count(e.account) || ' entries' as breach
      from ledger_transactions t left join ledger_entries e on e.transaction_id = t.id group by t.id having count(e.account) < 2`
  },
  {
    name: 'each balance is the sum of its wallet’s entries',
    breaches: sql`select 'wallet ' || w.wallet_id || ': the balance is ' || w.balance_cents || ' cents, the entries sum to ' || coalesce(s.cents, 0) as breach
      from ledger_wallets w left join (select wallet_id, sum(amount_cents) as cents from ledger_entries where wallet_id is not null group by wallet_id) s
        on s.wallet_id = w.wallet_id
      where w.balance_cents <> coalesce(s.cents, 0)`
  },
  {
    name: 'no wallet is or ever was below zero',
    breaches: sql`select 'wallet ' || wallet_id || ': ' || balance_cents || ' cents' as breach from ledger_wallets where balance_cents < 0
      union all select 'wallet ' || wallet_id || ' after transaction ' || transaction_id || ': ' || balance_after_cents || ' cents'
      from ledger_entries where balance_after_cents < 0`
  },
  {
    name: 'the balance after each entry is the sum of the entries up to it',
    breaches: sql`select 'wallet ' || wallet_id || ' after transaction ' || transaction_id || ': stored ' || balance_after_cents || ' cents, summed ' || summed as breach
      from (select wallet_id, transaction_id, balance_after_cents, sum(amount_cents) over (partition by wallet_id order by transaction_id) as summed
        from ledger_entries where wallet_id is not null) running
      where balance_after_cents is distinct from summed`
  },
  {
    name: 'each type moves credits in its own direction',
    breaches: sql`select 'transaction ' || t.id || ': ' || t.type || ' of ' || e.amount_cents || ' cents' as breach
      from ledger_transactions t join ledger_entries e on e.transaction_id = t.id and e.wallet_id is not null
      where (t.type in ('earn', 'loan') and e.amount_cents < 0) or (t.type in ('spend', 'repayment', 'refund') and e.amount_cents > 0)`
  },
  {
    name: 'a transfer is between two wallets, and nothing else is',
    breaches: sql`select 'transaction ' || t.id || ': ' || t.type || ' with ' || count(e.wallet_id) || ' wallets' as breach
      from ledger_transactions t join ledger_entries e on e.transaction_id = t.id
      group by t.id having count(e.wallet_id) <> case when t.type = 'transfer' then 2 else 1 end`
  },
  {
    name: 'the guards of the tables are in place',
    breaches: sql`select 'trigger ' || name || ' is ' || case when t.tgname is null then 'missing' else 'disabled' end as breach
      from unnest(${sql.lit(`{${guards.join(',')}}`)}::text[]) as name left join pg_trigger t on t.tgname = name and not t.tgisinternal
      where t.tgname is null or t.tgenabled not in ('O', 'A')
      union all select 'constraint ledger_wallet_not_below_zero is missing'
      where not exists (select 1 from pg_constraint where conname = 'ledger_wallet_not_below_zero' and convalidated)`
  }
]

/** Recomputes the whole ledger from its entries. @returns every breach, at most 100 per invariant */
export const verifyLedger = async (db: Db): Promise<Verification> => await readAtLeisure(db, checkInvariants)

const checkInvariants = async (db: Db): Promise<Verification> => {
  const faults: Fault[] = []
  for (const { name, breaches } of invariants) {
    const { rows } = await sql<{ breach: string }>`
      select breach from (${breaches}) as breaches limit ${sql.lit(mostFaultsPerInvariant)}`.execute(db)
    faults.push(...rows.map(({ breach }) => ({ invariant: name, where: breach })))
  }
  const { rows } = await sql<{ wallets: number; transactions: number; entries: number }>`select
    (select count(*) from ledger_wallets) as wallets,
    (select count(*) from ledger_transactions) as transactions,
    (select count(*) from ledger_entries) as entries`.execute(db)
  const [counts = { wallets: 0, transactions: 0, entries: 0 }] = rows
  return { faults, ...counts }
}
