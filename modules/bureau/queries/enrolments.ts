import { prepared } from '../../../plugins/database/prepared.ts'
import { toRow, type FieldsOf } from '../../../plugins/database/rows.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { Counters } from '../score.ts'
import '../tables.ts'

export interface Enrolment {
  agentId: string
  enrolledAt: Date
  counters: Counters
}

export const enrolmentColumns = [
  'agent_id as agentId',
  'enrolled_at as enrolledAt',
  'on_time as onTime',
  'late',
  'missed',
  'disputes',
  'open_accounts as openAccounts',
  'open_limits_cents as openLimitsCents',
  'debt_closed_cents as debtClosedCents'
] as const

export const toEnrolment = ({
  agentId,
  enrolledAt,
  ...counters
}: Omit<Enrolment, 'counters'> & Counters): Enrolment => ({ agentId, enrolledAt, counters })

const enrolmentsOf = prepared<{ agentId: string }>()((db, place) =>
  db.selectFrom('bureau_agents').select(enrolmentColumns).where('agent_id', '=', place('agentId'))
)

export const findEnrolment = async (db: Db, agentId: string): Promise<Enrolment | undefined> => {
  const [row] = await enrolmentsOf(db, { agentId })
  return row === undefined ? undefined : toEnrolment(row)
}

type NewEnrolment = Pick<FieldsOf<'bureau_agents'>, 'agentId' | 'name' | 'ownerEmail' | 'platform'>

/** Enrols an agent. @returns false when it was enrolled before; then nothing changes */
export const insertEnrolment = async (trx: Trx, enrolment: NewEnrolment, now: Date): Promise<boolean> => {
  const row = await trx
    .insertInto('bureau_agents')
    .values({ ...toRow(enrolment), enrolled_at: now })
    .onConflict((conflict) => conflict.column('agent_id').doNothing())
    .returning('agent_id')
    .executeTakeFirst()
  return row !== undefined
}

/** Locks an enrolment: until the transaction ends, no other one changes the agent's history or counters. @returns whether there is one */
export const lockEnrolment = async (trx: Trx, agentId: string): Promise<boolean> =>
  (await trx
    .selectFrom('bureau_agents')
    .select('agent_id')
    .where('agent_id', '=', agentId)
    .forNoKeyUpdate()
    .executeTakeFirst()) !== undefined

/**
 * Adds to the counters of an agent, and locks its enrolment.
 * @returns the agent with its new counters; undefined when it is not enrolled
 */
export const addToCounters = async (trx: Trx, agentId: string, effect: Counters): Promise<Enrolment | undefined> => {
  const row = await trx
    .updateTable('bureau_agents')
    .set((eb) => ({
      on_time: eb('on_time', '+', effect.onTime),
      late: eb('late', '+', effect.late),
      missed: eb('missed', '+', effect.missed),
      disputes: eb('disputes', '+', effect.disputes),
      open_accounts: eb('open_accounts', '+', effect.openAccounts),
      open_limits_cents: eb('open_limits_cents', '+', effect.openLimitsCents),
      debt_closed_cents: eb('debt_closed_cents', '+', effect.debtClosedCents)
    }))
    .where('agent_id', '=', agentId)
    .returning(enrolmentColumns)
    .executeTakeFirst()
  return row === undefined ? undefined : toEnrolment(row)
}
