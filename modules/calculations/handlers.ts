import type { FastifyInstance } from 'fastify'
import { notFound } from '../../plugins/http/errors/kinds.ts'
import { fromCents, toCents } from '../../plugins/money.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import type { SafeToSpendRequest, operations } from '../../spec/generated/calculations.ts'
import { findSafeToSpend, storeSafeToSpend } from './queries.ts'
import { calculateSafeToSpend, discretionaryPoolCents, type DueAmount, type SafeToSpend } from './safe-to-spend.ts'

const readDue = (amounts: { amount: number; due_in_days: number }[]): DueAmount[] =>
  amounts.map(({ amount, due_in_days }) => ({ amountCents: toCents(amount), dueInDays: due_in_days }))

const calculate = (body: SafeToSpendRequest): SafeToSpend =>
  calculateSafeToSpend({
    cashBalanceCents: toCents(body.cash_balance),
    cashBufferCents: toCents(body.cash_buffer),
    bills: readDue(body.upcoming_bills),
    income: readDue(body.upcoming_income),
    savingsCents: toCents(body.savings_commitments),
    debtCents: toCents(body.debt_commitments),
    daysInPeriod: body.days_in_period
  })

const calculationIdOf = (endUserId: string, at: Date): string =>
  `calc_${endUserId.replace(/^usr_/, '')}_${at.toISOString().slice(0, 10)}`

const present = (result: SafeToSpend, calculationId: string, calculatedAt: Date, isSandbox: boolean) => {
  const poolCents = discretionaryPoolCents(result)
  const dailyAllowance = fromCents(result.dailyAllowanceCents)
  return {
    safe_to_spend_today: dailyAllowance,
    daily_allowance: dailyAllowance,
    monthly_safe_to_spend: fromCents(Math.max(poolCents, 0)),
    ...(poolCents < 0 ? { shortfall: fromCents(-poolCents) } : {}),
    breakdown: {
      cash_after_buffer: fromCents(result.cashAfterBufferCents),
      upcoming_bills_total: fromCents(result.billsCents),
      savings_commitments: fromCents(result.savingsCents),
      debt_commitments: fromCents(result.debtCents),
      discretionary_pool: fromCents(poolCents),
      days_in_period: result.daysInPeriod
    },
    calculation_id: calculationId,
    calculated_at: calculatedAt.toISOString(),
    is_sandbox: isSandbox
  }
}

export const handlers = (app: FastifyInstance): Handlers<typeof operations> => {
  const answerTo = (body: SafeToSpendRequest, environment: 'test' | 'live') => {
    const now = app.clock.now()
    return present(calculate(body), calculationIdOf(body.end_user_id, now), now, environment === 'test')
  }

  return {
    async calculateSafeToSpend({ body, caller }) {
      return answerTo(body, caller.environment)
    },

    async calculateSafeToSpendUnderApi({ body, caller }) {
      return answerTo(body, caller.environment)
    },

    async ingestSafeToSpend({ db, body, caller }) {
      const { partnerId, environment } = caller
      const result = calculate(body)
      const calculatedAt = app.clock.now()
      const calculationId = calculationIdOf(body.end_user_id, calculatedAt)
      await storeSafeToSpend(db, {
        partner_id: partnerId,
        environment,
        end_user_id: body.end_user_id,
        calculation_id: calculationId,
        calculated_at: calculatedAt,
        days_in_period: result.daysInPeriod,
        cash_after_buffer_cents: result.cashAfterBufferCents,
        bills_cents: result.billsCents,
        savings_cents: result.savingsCents,
        debt_cents: result.debtCents,
        daily_allowance_cents: result.dailyAllowanceCents
      })
      const data = { calculation_id: calculationId, end_user_id: body.end_user_id }
      await app.outbox.publish(db, [{ partnerId, type: 'calculation.updated', data }])
      return present(result, calculationId, calculatedAt, environment === 'test')
    },

    async getSafeToSpend({ db, query, caller }) {
      const row = await findSafeToSpend(db, caller.partnerId, caller.environments, query.end_user_id)
      if (row === undefined)
        throw notFound('There is no calculation of this end-user. Store one with POST /api/v1/ingest.')
      const result = {
        daysInPeriod: row.days_in_period,
        cashAfterBufferCents: row.cash_after_buffer_cents,
        billsCents: row.bills_cents,
        savingsCents: row.savings_cents,
        debtCents: row.debt_cents,
        dailyAllowanceCents: row.daily_allowance_cents
      }
      return present(result, row.calculation_id, row.calculated_at, row.environment === 'test')
    }
  }
}
