import { sql } from 'kysely'
import type { Db } from '../../../plugins/database/types.ts'
import '../tables.ts'

/** At most 20 agents whose counters differ from a full count of their history and accounts. */
export const findMiscounted = async (db: Db): Promise<string[]> => {
  // Independent of `effectOf`, so that each finds mistakes in the other; one statement, so that it reads one snapshot.
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
      from bureau_events where state in ('counted', 'confirmed') group by agent_id
    ) event on event.agent_id = agent.agent_id
    left join (
      select agent_id, count(*) as open, coalesce(sum(credit_limit_cents), 0)::bigint as limits_cents
      from bureau_accounts where closed_at is null and not is_excluded group by agent_id
    ) account on account.agent_id = agent.agent_id
    where (agent.on_time, agent.late, agent.missed, agent.disputes, agent.debt_closed_cents, agent.open_accounts, agent.open_limits_cents)
      is distinct from (coalesce(event.on_time, 0), coalesce(event.late, 0), coalesce(event.missed, 0), coalesce(event.disputes, 0),
        coalesce(event.debt_closed_cents, 0), coalesce(event.opened_elsewhere, 0) + coalesce(account.open, 0), coalesce(account.limits_cents, 0))
    order by agent.agent_id
    limit 20`.execute(db)
  return rows.map((row) => row.agent_id)
}
