import pg from 'pg'
import type { Cleaner } from '../../build-app.ts'

interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Index Cond'?: string
  Plans?: Plan[]
}

interface Explained {
  'Query Text': string
  Plan: Plan
  /** Those that are not as PostgreSQL is delivered. */
  Settings?: Record<string, string>
}

/** What was read from end to end: a table, or an index of which nothing is looked up. */
const wholeReadsOf = ({ Plans = [], ...plan }: Plan): string[] => {
  const { 'Node Type': type, 'Relation Name': table, 'Index Name': index, 'Index Cond': condition } = plan
  const own = type === 'Seq Scan' ? [table ?? type] : index !== undefined && condition === undefined ? [index] : []
  return [...own, ...Plans.flatMap(wholeReadsOf)]
}

/**
 * Has PostgreSQL tell every connection that is opened from now on to the client's database how it carries out each statement, those inside of functions too, but not
 * those of what reads whole tables on purpose.
 *
 * @returns what was read from end to end since it was asked last, and by which statements.
 */
export const watchPlans = async (t: Cleaner, client: pg.Client): Promise<{ taken: () => { read: string; by: string[] }[] }> => {
  const settings = {
    session_preload_libraries: 'auto_explain', 'auto_explain.log_min_duration': '0', 'auto_explain.log_nested_statements': 'on', 'auto_explain.log_format': 'json',
    'auto_explain.log_settings': 'on', client_min_messages: 'log',
    // What a connection plans for its first five times is forgotten; what it plans then is kept.
    plan_cache_mode: 'force_generic_plan'
  }
  for (const [name, value] of Object.entries(settings)) {
    await client.query(`alter database ${client.escapeIdentifier(client.database ?? '')} set ${name} = ${client.escapeLiteral(value)}`)
  }

  const seen = new Map<string, Set<string>>()
  const take = (message: string): void => {
    const found = /plan:\s*(\{[\s\S]*\})/.exec(message)?.[1]
    if (found === undefined) return
    const { 'Query Text': text, Plan: plan, Settings: { enable_seqscan } = {} } = JSON.parse(found) as Explained
    if (enable_seqscan !== 'off') return
    for (const read of wholeReadsOf(plan)) seen.set(read, (seen.get(read) ?? new Set()).add(text.replaceAll(/\s+/g, ' ')))
  }
  const { emit } = pg.Client.prototype
  pg.Client.prototype.emit = function (this: pg.Client, name: string, ...rest: unknown[]) {
    if (name === 'notice') take((rest[0] as Error).message)
    return emit.call(this, name, ...rest)
  } as typeof emit
  t.after(() => {
    pg.Client.prototype.emit = emit
  })
  return {
    taken() {
      const taken = [...seen].map(([read, texts]) => ({ read, by: [...texts] }))
      seen.clear()
      return taken
    }
  }
}
