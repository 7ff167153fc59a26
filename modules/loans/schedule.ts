const dayMs = 86_400_000

export const termMs = 30 * dayMs
export const defaultAfterMs = 30 * dayMs

/** When a loan that is paid out now has to be paid back; paying at that very moment is in time. */
export const dueAt = (requestedAt: Date): Date => new Date(requestedAt.getTime() + termMs)

export interface Standing {
  status: 'active' | 'repaid' | 'defaulted'
  dueAt: Date
  lateAt: Date | null
}

export type Lapse = 'late' | 'default'

/**
 * What an unpaid loan has let pass by now and what was not noted yet, in order: past due it is late, 30 days later in default. Both at once when nobody looked
 * for that long, so that the outcome does not depend on when somebody looks.
 */
export const lapsesOf = ({ status, dueAt: due, lateAt }: Standing, now: Date): Lapse[] => {
  if (status !== 'active') return []
  const overdueMs = now.getTime() - due.getTime()
  return [
    ...(overdueMs > 0 && lateAt === null ? ['late' as const] : []),
    ...(overdueMs > defaultAfterMs ? ['default' as const] : [])
  ]
}
