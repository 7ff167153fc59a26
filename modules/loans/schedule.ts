import type { FieldsOf } from '../../plugins/database/rows.ts'

type Loan = FieldsOf<'loans'>

const dayMs = 86_400_000

export const termMs = 30 * dayMs
export const defaultAfterMs = 30 * dayMs

/** Smaller loans are not reported as paid on time, and further ones not within this time, so that trivial loans raise no score. */
const smallestOnTimeCents = 50_00
const onTimeEveryMs = 30 * dayMs

/**
 * Whether the repayment of a loan in full is reported as on time.
 * @param lastOnTimeAt when a repayment by the agent was last reported so
 */
export const isOnTimeReport = (
  { amountCents, lateAt }: Pick<Loan, 'amountCents' | 'lateAt'>,
  lastOnTimeAt: Date | null,
  now: Date
): boolean =>
  lateAt === null &&
  amountCents >= smallestOnTimeCents &&
  (lastOnTimeAt === null || now.getTime() - lastOnTimeAt.getTime() >= onTimeEveryMs)

/** When a loan is due. A repayment at exactly that moment is on time. */
export const dueAt = (requestedAt: Date): Date => new Date(requestedAt.getTime() + termMs)

/**
 * The lapses of an unpaid loan that are not recorded yet, in order: late once it is past due, in default 30 days later. Returns both at once when
 * neither was recorded, so that the outcome does not depend on when the job runs.
 */
export const lapsesOf = (
  { status, dueAt: due, lateAt }: Pick<Loan, 'status' | 'dueAt' | 'lateAt'>,
  now: Date
): ('late' | 'default')[] => {
  if (status !== 'active') return []
  const overdueMs = now.getTime() - due.getTime()
  return [
    ...(overdueMs > 0 && lateAt === null ? ['late' as const] : []),
    ...(overdueMs > defaultAfterMs ? ['default' as const] : [])
  ]
}

/** What remains to be repaid, in cents. */
export const outstandingOf = ({ amountCents, amountRepaidCents }: Pick<Loan, 'amountCents' | 'amountRepaidCents'>) =>
  amountCents - amountRepaidCents
