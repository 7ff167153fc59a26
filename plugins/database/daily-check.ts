import type { Db } from './types.ts'

export interface CheckResult {
  status: 'ok' | 'failed'
  detail: string
}

const dayMs = 24 * 3_600_000

/** Runs a check unless it ran within the last 24 hours on any instance, and stores its result for the health report. */
export const checkDaily = async (
  db: Db,
  name: string,
  now: Date,
  check: (db: Db) => Promise<CheckResult>
): Promise<void> => {
  const last = await db.selectFrom('check_results').select('at').where('name', '=', name).executeTakeFirst()
  if (last !== undefined && now.getTime() - last.at.getTime() < dayMs) return
  const { status, detail } = await check(db)
  const result = { status, detail, at: now }
  await db
    .insertInto('check_results')
    .values({ name, ...result })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(result))
    .execute()
}
