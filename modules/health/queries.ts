import type { Db } from '../../plugins/database/types.ts'

export interface CheckResult {
  status: 'ok' | 'failed'
  at: string
}

/** Reads the last result of each periodic check, by name. */
export const readCheckResults = async (db: Db): Promise<Record<string, CheckResult>> => {
  const rows = await db.selectFrom('check_results').select(['name', 'status', 'at']).execute()
  return Object.fromEntries(rows.map(({ name, status, at }) => [name, { status, at: at.toISOString() }]))
}
