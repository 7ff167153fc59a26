import { sql } from 'kysely'
import type { Db } from '../../plugins/database/types.ts'
import type { Operation } from '../../plugins/operations/table.ts'
import { allOperations } from '../../spec/generated/index.ts'
import { tools } from '../../spec/generated/tools.ts'

const operations: Operation[] = Object.values<Operation>(allOperations).sort((a, b) =>
  a.operationId < b.operationId ? -1 : 1
)

/** Without padding, so that a long name changes only its own line. */
const table = (rows: string[][]): string => rows.map((row) => `${row.join(' | ')}\n`).join('')

const securityOf = ({ security }: Operation): string =>
  security.length === 0
    ? 'none'
    : security.map((alternative) => (alternative.length === 0 ? 'none' : alternative.join('+'))).join('|')

/** Every operation with the rules that the server enforces on it. */
export const printOperations = (): string =>
  table([
    ['operation', 'method', 'path', 'security', 'scopes', 'class', 'idempotent'],
    ...operations.map((operation) => [
      operation.operationId,
      operation.method,
      operation.path,
      securityOf(operation),
      operation.scopes.join(',') || '-',
      operation.rateLimitClass,
      operation.idempotent ? 'yes' : '-'
    ])
  ])

/** Every operation that requires no credential. Review additions to this list with care. */
export const printUnauthenticated = (): string =>
  table(
    operations
      .filter(({ security }) => security.length === 0 || security.some((alternative) => alternative.length === 0))
      .map(({ operationId, method, path }) => [operationId, method, path])
  )

const hints = ['readOnly', 'destructive', 'idempotent', 'openWorld'] as const

/** Every tool offered to models, with its hints, required arguments and defaults. */
export const printTools = (): string =>
  table([
    ['tool', ...hints, 'required', 'defaults'],
    ...[...tools]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, annotations, inputSchema, defaults }) => [
        name,
        ...hints.map((hint) => (annotations[`${hint}Hint`] ? 'yes' : '-')),
        inputSchema.required?.join(',') ?? '-',
        Object.entries(defaults)
          .map(([argument, value]) => `${argument}=${String(value)}`)
          .join(',') || '-'
      ])
  ])

interface Column {
  table: string
  /** Storage parameters of the table, such as those of autovacuum. */
  options: string | null
  name: string
  type: string
  not_null: boolean
  default: string | null
  identity: string
  generated: string
}

const readColumns = async (db: Db): Promise<Column[]> => {
  const { rows } = await sql<Column>`
    select c.relname as table, array_to_string(c.reloptions, ', ') as options, a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as not_null,
      pg_get_expr(d.adbin, d.adrelid) as default, a.attidentity::text as identity, a.attgenerated::text as generated
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
      and c.relname not like 'migrations%'
    order by c.relname collate "C", a.attnum`.execute(db)
  return rows
}

/** Definitions of one kind, as the database prints them. PostgreSQL 18 lists NOT NULL among the constraints and 15 does not, so it is printed with the columns. */
const definitions = {
  constraints: sql<{ line: string }>`
    select 'alter table ' || c.relname || ' add constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid) as line
    from pg_constraint k join pg_class c on c.oid = k.conrelid
    where k.connamespace = 'public'::regnamespace and k.contype <> 'n' and k.contype <> 't' and c.relname not like 'migrations%'
    order by c.relname collate "C", k.conname collate "C"`,
  indexes: sql<{ line: string }>`
    select pg_get_indexdef(i.indexrelid) as line
    from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
    where c.relnamespace = 'public'::regnamespace and c.relname not like 'migrations%'
      and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
    order by c.relname collate "C", x.relname collate "C"`,
  views: sql<{ line: string }>`
    select 'create view ' || c.relname || ' as' || chr(10) || pg_get_viewdef(c.oid) as line
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('v', 'm')
    order by c.relname collate "C"`,
  triggers: sql<{ line: string }>`
    select pg_get_triggerdef(t.oid) as line
    from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where c.relnamespace = 'public'::regnamespace and not t.tgisinternal
    order by c.relname collate "C", t.tgname collate "C"`,
  // Their bodies are reviewed in plugins/database/functions.
  functions: sql<{ line: string }>`
    select 'create function ' || p.proname || '(' || pg_get_function_arguments(p.oid) || ') returns ' || pg_get_function_result(p.oid) as line
    from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.prokind in ('f', 'p')
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
    order by p.proname collate "C", pg_get_function_identity_arguments(p.oid) collate "C"`
}

const printColumn = (column: Column): string => {
  const identity = { a: ' generated always as identity', d: ' generated by default as identity' }[column.identity] ?? ''
  const value =
    column.default === null
      ? ''
      : column.generated === ''
        ? ` default ${column.default}`
        : ` generated always as (${column.default}) stored`
  return `  ${column.name} ${column.type}${column.not_null ? ' not null' : ''}${identity}${value}`
}

/** The schema as the database itself describes it; the same on every supported engine and version. */
export const printSchema = async (db: Db): Promise<string> => {
  const tables = [...groupByTable(await readColumns(db))].map(
    ([name, columns]) =>
      `create table ${name} (\n${columns.map(printColumn).join(',\n')}\n)${columns[0]?.options ? ` with (${columns[0].options})` : ''};\n`
  )
  const parts = [tables.join('\n')]
  for (const query of Object.values(definitions)) {
    const { rows } = await query.execute(db)
    if (rows.length > 0) parts.push(rows.map(({ line }) => `${line.replace(/;$/, '')};\n`).join(''))
  }
  return parts.join('\n')
}

const groupByTable = (columns: Column[]): Map<string, Column[]> => {
  const groups = new Map<string, Column[]>()
  for (const column of columns) groups.set(column.table, [...(groups.get(column.table) ?? []), column])
  return groups
}
