import type { FastifyInstance } from 'fastify'
import type { Environment } from '../../plugins/access/caller.ts'
import { notFound } from '../../plugins/http/errors/kinds.ts'
import { toCents } from '../../plugins/money.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import { requireQuota } from '../../plugins/quotas.ts'
import type { SafeToSpendRequest, operations } from '../../spec/generated/calculations.ts'
import { findCalculation, selectTestCalculations, storeCalculation } from './queries.ts'
import { calculateSafeToSpend, type DueAmount } from './safe-to-spend.ts'
import { toSafeToSpend } from './wire.ts'

const readDueAmounts = (amounts: { amount: number; due_in_days: number }[]): DueAmount[] =>
  amounts.map(({ amount, due_in_days }) => ({ amountCents: toCents(amount), dueInDays: due_in_days }))

const calculate = (body: SafeToSpendRequest, environment: Environment, calculatedAt: Date) => ({
  environment,
  calculationId: `calc_${body.end_user_id.replace(/^usr_/, '')}_${calculatedAt.toISOString().slice(0, 10)}`,
  calculatedAt,
  ...calculateSafeToSpend({
    cashBalanceCents: toCents(body.cash_balance),
    cashBufferCents: toCents(body.cash_buffer),
    bills: readDueAmounts(body.upcoming_bills),
    income: readDueAmounts(body.upcoming_income),
    savingsCents: toCents(body.savings_commitments),
    debtCents: toCents(body.debt_commitments),
    daysInPeriod: body.days_in_period
  })
})

export const handlers = ({
  clock,
  outbox
}: Pick<FastifyInstance, 'clock' | 'outbox'>): Handlers<typeof operations> => ({
  async calculateSafeToSpend({ body, caller }) {
    return toSafeToSpend(calculate(body, caller.environment, clock.now()))
  },

  async calculateSafeToSpendUnderApi({ body, caller }) {
    return toSafeToSpend(calculate(body, caller.environment, clock.now()))
  },

  async ingestSafeToSpend({ db, body, caller: { partnerId, environment } }) {
    const calculation = calculate(body, environment, clock.now())
    await storeCalculation(db, { ...calculation, partnerId, endUserId: body.end_user_id })
    if (environment === 'test')
      await requireQuota(db, 'test_calculations', partnerId, selectTestCalculations(db, partnerId))
    const data = { calculation_id: calculation.calculationId, end_user_id: body.end_user_id }
    await outbox.publish(db, [{ partnerId, environment, type: 'calculation.updated', data }])
    return toSafeToSpend(calculation)
  },

  async getSafeToSpend({ db, query, caller }) {
    const calculation = await findCalculation(db, caller.partnerId, caller.environments, query.end_user_id)
    if (calculation === undefined)
      throw notFound('This end-user has no stored calculation. Store one with POST /api/v1/ingest.')
    return toSafeToSpend(calculation)
  }
})
