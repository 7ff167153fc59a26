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
  /** Settings that differ from PostgreSQL's defaults. */
  Settings?: Record<string, string>
}

/** Relations that a plan scans completely: a table, or an index without a condition on its first column. */
const wholeReadsOf = ({ Plans = [], ...plan }: Plan, firstColumns: Map<string, string[]>): string[] => {
  const { 'Node Type': type, 'Relation Name': table, 'Index Name': index, 'Index Cond': condition } = plan
  const looksUp = firstColumns.get(index ?? '')?.some((column) => condition?.includes(column)) === true
  const own = type === 'Seq Scan' ? [table ?? type] : index !== undefined && !looksUp ? [index] : []
  return [...own, ...Plans.flatMap((part) => wholeReadsOf(part, firstColumns))]
}

/**
 * Makes PostgreSQL use an index wherever one fits a statement, as it does by itself once the tables are large. A sequential scan in a plan then means that no index
 * fits. Joins that scan one side completely, even through an index, are disabled for the same reason.
 */
const asIfTablesWereLarge = {
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_material: 'off',
  // A plan without a fitting index has such a high cost that JIT compilation would start.
  jit: 'off'
}

/**
 * Makes PostgreSQL report the plan of each statement, even inside functions, to every connection opened from now on to the client's database.
 *
 * @param onPurpose matches statements that scan whole tables on purpose, which are left out.
 * @returns how many statements ran since the last call, and the relations that they scanned completely.
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
