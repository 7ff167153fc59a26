import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Db } from './types.ts'

/** An SQL file with one function and its triggers. */
export interface SqlFunction {
  name: string
  text: string
  /** Of the text. */
  hash: string
  /** Everything before the body. When it changes, `create or replace` would fail or add an overload. */
  signature: string
}

interface AppliedFunction {
  name: string
  hash: string
  signature: string
  /** Whether this is the current version; false for an earlier one. */
  current: boolean
}

const parseFile = (name: string, text: string): SqlFunction => {
  const header = /^ *create or replace function\s[\s\S]*?\bas \$\$/m.exec(text)?.[0]
  if (!header?.includes(`${name}(`))
    throw new Error(`functions/${name}.sql must contain "create or replace function ${name}(…) … as $$".`)
  return {
    name,
    text,
    hash: createHash('sha256').update(text).digest('hex'),
    signature: header.replaceAll(/\s+/g, ' ')
  }
}

/** Callees before their callers, because PostgreSQL resolves the calls of an SQL-language function when it is created. */
const calleesFirst = (functions: SqlFunction[]): SqlFunction[] => {
  const ordered = new Set<SqlFunction>()
  const visited = new Set<SqlFunction>()
  const visit = (caller: SqlFunction): void => {
    if (visited.has(caller)) return
    visited.add(caller)
    for (const callee of functions) if (new RegExp(`\\b${callee.name}\\(`).test(caller.text)) visit(callee)
    ordered.add(caller)
  }
  functions.forEach(visit)
  return [...ordered]
}

/** Reads every `<name>.sql` of the folder, in the order in which they can be created. */
export const readFunctions = async (folder: string): Promise<SqlFunction[]> => {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort()
  const functions = files.map(async (file) =>
    parseFile(file.slice(0, -'.sql'.length), await readFile(join(folder, file), 'utf8'))
  )
  return calleesFirst(await Promise.all(functions))
}

/** The statements of a file. The embedded database accepts one at a time. */
const statementsOf = (text: string): string[] => text.match(/(?:--.*|\$\$[\s\S]*?\$\$|'[^']*'|[^;])+;/g) ?? []

/**
 * The functions that a schema holds, as the table `migrations_functions` records them. The table keeps each version that was ever applied, so that an instance
 * of the version before still finds its own while a deployment replaces instances one by one.
 */
export const functionStore = (schema: string | undefined) => {
  const table = schema === undefined ? sql.table('migrations_functions') : sql.table(`${schema}.migrations_functions`)
  const namespace = sql`coalesce(${schema ?? null}, current_schema())::regnamespace`

  const drop = async (db: Db, name: string): Promise<void> => {
    const { rows } = await sql<{ overload: string }>`
      select oid::regprocedure::text as overload from pg_proc
      where proname = ${name} and pronamespace = ${namespace}`.execute(db)
    for (const { overload } of rows) await sql`drop function ${sql.raw(overload)}`.execute(db)
    await sql`update ${table} set current = false where name = ${name}`.execute(db)
  }

  const apply = async (db: Db, { name, text, hash, signature }: SqlFunction): Promise<void> => {
    for (const statement of statementsOf(text)) await sql.raw(statement).execute(db)
    await sql`update ${table} set current = false where name = ${name}`.execute(db)
    await sql`insert into ${table} (name, hash, signature, current) values (${name}, ${hash}, ${signature}, true)
      on conflict (name, hash) do update set current = true`.execute(db)
  }

  return {
    /** Every version that was ever applied. The table must exist. */
    async read(db: Db): Promise<AppliedFunction[]> {
      return (await sql<AppliedFunction>`select name, hash, signature, current from ${table}`.execute(db)).rows
    },
    /** Creates new functions, replaces changed ones and drops those without a file; in the caller's transaction. */
    async synchronize(trx: Db, functions: SqlFunction[]): Promise<void> {
      await sql`create table if not exists ${table} (
        name text, hash text, signature text not null, current boolean not null, primary key (name, hash))`.execute(trx)
      const applied = (await this.read(trx)).filter(({ current }) => current)
      for (const { name } of applied) if (!functions.some((wanted) => wanted.name === name)) await drop(trx, name)
      for (const wanted of functions) {
        const existing = applied.find(({ name }) => name === wanted.name)
        if (existing?.hash === wanted.hash) continue
        if (existing !== undefined && existing.signature !== wanted.signature) await drop(trx, wanted.name)
        await apply(trx, wanted)
      }
    }
  }
}
