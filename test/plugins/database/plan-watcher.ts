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
const wholeReadsOf = ({ Plans = [], ...plan }: Plan, firstColumns: Map<string, string[]>): string[] => {
  const { 'Node Type': type, 'Relation Name': table, 'Index Name': index, 'Index Cond': condition } = plan
  const looksUp = firstColumns.get(index ?? '')?.some((column) => condition?.includes(column)) === true
  const own = type === 'Seq Scan' ? [table ?? type] : index !== undefined && !looksUp ? [index] : []
  return [...own, ...Plans.flatMap((part) => wholeReadsOf(part, firstColumns))]
}

/**
 * Makes PostgreSQL use an index wherever one can serve a statement, as it does by itself once the tables are large: a sequential scan in a plan then means that no index
 * can. Joins that read one side from end to end, be it by an index, are off for the same reason.
 */
const asIfTablesWereLarge = {
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_material: 'off',
  // What no index can serve counts as so expensive that it would be compiled.
  jit: 'off'
}

/**
 * Makes PostgreSQL report to every connection that is opened from now on to the client's database the plan of each statement, also those inside of functions.
 *
 * @param onPurpose matches the statements that read whole tables on purpose, which are left out.
 * @returns how many statements ran since the last call, and what they read from end to end.
 */
export const watchPlans = async (
  t: Cleaner,
  client: pg.Client,
  onPurpose: RegExp
): Promise<() => { carriedOut: number; reads: { read: string; by: string[] }[] }> => {
  const settings = {
    ...asIfTablesWereLarge,
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

  // A plan names an index without its schema, so indexes of the same name in two schemas count as one.
  const { rows: indexes } = await client.query<{ name: string; columns: string[] }>(
    `select relname as name, array_agg(pg_get_indexdef(indexrelid, 1, true)) as columns
      from pg_index join pg_class on pg_class.oid = indexrelid group by relname`
  )
  const firstColumns = new Map(indexes.map(({ name, columns }) => [name, columns]))

  const seen = new Map<string, Set<string>>()
  let carriedOut = 0
  const take = (message: string): void => {
    const found = /plan:\s*(\{[\s\S]*\})/.exec(message)?.[1]
    if (found === undefined) return
    const { 'Query Text': text, Plan: plan, Settings: { enable_seqscan } = {} } = JSON.parse(found) as Explained
    if (enable_seqscan !== 'off' || onPurpose.test(text)) return
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
