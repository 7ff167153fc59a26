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

/** What is read from end to end: a table, or an index of which nothing is looked up by its first column. */
const wholeReadsOf = ({ Plans = [], ...plan }: Plan, firstColumns: Map<string, string>): string[] => {
  const { 'Node Type': type, 'Relation Name': table, 'Index Name': index, 'Index Cond': condition } = plan
  const looksUp = condition?.includes(firstColumns.get(index ?? '') ?? '') === true
  const own = type === 'Seq Scan' ? [table ?? type] : index !== undefined && !looksUp ? [index] : []
  return [...own, ...Plans.flatMap((part) => wholeReadsOf(part, firstColumns))]
}

/**
 * Has PostgreSQL tell every connection that is opened from now on to the client's database how it carries out each statement, those inside of functions too, but not
 * those of what reads whole tables on purpose.
 *
 * @returns how many statements were carried out since it was asked last, and what they read from end to end.
 */
export const watchPlans = async (
  t: Cleaner,
  client: pg.Client
): Promise<() => { carriedOut: number; reads: { read: string; by: string[] }[] }> => {
  const settings = {
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_nested_statements': 'on',
    'auto_explain.log_format': 'json',
    'auto_explain.log_settings': 'on',
    client_min_messages: 'log'
  }
  for (const [name, value] of Object.entries(settings)) {
    await client.query(
      `alter database ${client.escapeIdentifier(client.database ?? '')} set ${name} = ${client.escapeLiteral(value)}`
    )
  }

  const { rows: indexes } = await client.query<{ name: string; column: string }>(
    'select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid, 1, true) as column from pg_index'
  )
  const firstColumns = new Map(indexes.map(({ name, column }) => [name, column]))

  const seen = new Map<string, Set<string>>()
  let carriedOut = 0
  const take = (message: string): void => {
    const found = /plan:\s*(\{[\s\S]*\})/.exec(message)?.[1]
    if (found === undefined) return
    const { 'Query Text': text, Plan: plan, Settings: { enable_seqscan } = {} } = JSON.parse(found) as Explained
    if (enable_seqscan !== 'off') return
    carriedOut += 1
    for (const read of wholeReadsOf(plan, firstColumns))
      seen.set(read, (seen.get(read) ?? new Set()).add(text.replaceAll(/\s+/g, ' ')))
  }
  const { emit } = pg.Client.prototype
  pg.Client.prototype.emit = function (this: pg.Client, name: string, ...rest: unknown[]) {
    if (name === 'notice') take((rest[0] as Error).message)
    return emit.call(this, name, ...rest)
  } as typeof emit
  t.teardown(() => {
    pg.Client.prototype.emit = emit
  })
  return () => {
    const taken = { carriedOut, reads: [...seen].map(([read, texts]) => ({ read, by: [...texts] })) }
    seen.clear()
    carriedOut = 0
    return taken
  }
}
