import { sql } from 'kysely'
import type { Db } from '../../plugins/database/types.ts'
import './tables.ts'

/** The agents, 20 at most, whose counters are not what a full count of their history and accounts gives. */
export const findMiscounted = async (db: Db): Promise<string[]> => {
  // Written apart from `effectOf`, so that a mistake in one of the two is found by the other; one statement, so that it sees one moment.
  const { rows } = await sql<{ agent_id: string }>`
    select agent.agent_id
    from bureau_agents agent
    left join (
      select agent_id,
        count(*) filter (where kind = 'payment_ontime') as on_time,
        count(*) filter (where kind = 'payment_late') as late,
        count(*) filter (where kind = 'payment_missed') as missed,
        count(*) filter (where kind = 'dispute') as disputes,
        count(*) filter (where kind = 'account_opened') as opened_elsewhere,
        coalesce(sum(amount_cents) filter (where kind = 'debt_closed'), 0)::bigint as debt_closed_cents
      from bureau_events group by agent_id
    ) told on told.agent_id = agent.agent_id
    left join (
      select agent_id, count(*) as open, coalesce(sum(credit_limit_cents), 0)::bigint as limits_cents
      from bureau_accounts where closed_at is null group by agent_id
    ) account on account.agent_id = agent.agent_id
    where (agent.on_time, agent.late, agent.missed, agent.disputes, agent.debt_closed_cents, agent.open_accounts, agent.open_limits_cents)
      is distinct from (coalesce(told.on_time, 0), coalesce(told.late, 0), coalesce(told.missed, 0), coalesce(told.disputes, 0),
        coalesce(told.debt_closed_cents, 0), coalesce(told.opened_elsewhere, 0) + coalesce(account.open, 0), coalesce(account.limits_cents, 0))
    order by agent.agent_id
    limit 20`.execute(db)
  return rows.map((row) => row.agent_id)
}

const checkName = 'bureau'
const checkEveryMs = 86_400_000

/** Whether the last check is a day old, or none was made yet. */
const isDue = async (db: Db, now: Date): Promise<boolean> => {
  const last = await db.selectFrom('check_results').select('at').where('name', '=', checkName).executeTakeFirst()
  return last === undefined || now.getTime() - last.at.getTime() >= checkEveryMs
}

/** Once a day proves that every agent's counters equal a full recount, and keeps the result where health reads it. */
export const checkCounters = async (db: Db, now: Date): Promise<void> => {
  if (!(await isDue(db, now))) return
  const miscounted = await findMiscounted(db)
  const status = miscounted.length === 0 ? 'ok' : 'failed'
  const detail = status === 'ok' ? 'Every counter equals a full recount.' : `The counters are not what the history gives for: ${miscounted.join(', ')}.`
  await db
    .insertInto('check_results')
    .values({ name: checkName, status, detail, at: now })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ status, detail, at: now }))
    .execute()
}
