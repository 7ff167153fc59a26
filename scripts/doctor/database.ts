import { accessSync, constants, existsSync } from 'node:fs'
import { join } from 'node:path'
import { sql, type RawBuilder } from 'kysely'
import type { Config } from '../../plugins/config/index.ts'
import { lockDirectory } from '../../plugins/database/directory-lock.ts'
import { openDatabase, openPostgres } from '../../plugins/database/index.ts'
import { findUnknown, isMigrated } from '../../plugins/database/migrate.ts'
import type { Db } from '../../plugins/database/types.ts'
import { wordsOf } from '../../plugins/startup/error.ts'
import { fail, ok, unwritable, warn, type Finding } from './finding.ts'

const leastVersion = 15
const skewToWarnMs = 2_000
/** Signatures are valid for 5 minutes, access tokens for 15. */
const skewToFailMs = 60_000
/** The share of the database's connections for instances. The rest is for deployments and maintenance. */
const mostShare = 0.8
/** In addition to its pool, an instance uses one connection for locks. */
const beyondThePool = 1

const connectionCures: [RegExp, string][] = [
  [
    /28P01|28000|password|SASL/i,
    'Check the user and the password in DATABASE_URL. Percent-encode characters such as @ and / in the password.'
  ],
  [/3D000|does not exist/, 'Create the database with createdb or in the console of your provider.'],
  [/ENOTFOUND|EAI_AGAIN/, 'Check the host in DATABASE_URL, and that this machine can resolve it.'],
  [
    /SSL|TLS|certificate/i,
    'Check that sslmode in DATABASE_URL matches the database. A private certificate authority requires sslrootcert.'
  ],
  [
    /53300|too many clients/i,
    'The database has no free connections. Raise max_connections, or lower DATABASE_POOL_SIZE.'
  ],
  // Any other failure.
  [/^/, 'Check the host and the port in DATABASE_URL, that the database is running, and that no firewall blocks it.']
]

const readRow = async <Row>(db: Db, query: RawBuilder<unknown>): Promise<Row | undefined> =>
  (await query.execute(db)).rows[0] as Row | undefined

const checkVersion = async (db: Db): Promise<Finding> => {
  const version = await readRow<{ number: number; text: string }>(
    db,
    sql`select current_setting('server_version_num')::integer as number, current_setting('server_version') as text`
  )
  const major = Math.floor((version?.number ?? 0) / 10_000)
  return major >= leastVersion
    ? ok('database', `PostgreSQL ${version?.text}`)
    : fail('database', `PostgreSQL ${version?.text}`, `Use PostgreSQL ${leastVersion} or later.`)
}

const checkWritable = async (db: Db): Promise<Finding[]> => {
  const state = await readRow<{ replica: boolean; readonly: string }>(
    db,
    sql`select pg_is_in_recovery() as replica, current_setting('transaction_read_only') as readonly`
  )
  if (state?.replica === true) return [fail('database', 'is a read-only replica', 'Set DATABASE_URL to the primary.')]
  if (state?.readonly === 'on')
    return [fail('database', 'is read-only', 'Allow writes: alter role … set default_transaction_read_only = off.')]
  return []
}

/** Finds a schema of another version, unless it only has newer migrations. */
const checkHistory = async (db: Db, cure: string): Promise<Finding | undefined> => {
  const [unknown] = await findUnknown(db)
  if (unknown === undefined || (await isMigrated(db))) return undefined
  return fail(
    'schema',
    `belongs to another version of AtlasForge: this version does not have the migration ${unknown}`,
    cure
  )
}

const checkSchema = async (db: Db): Promise<Finding> => {
  if (await isMigrated(db)) return ok('schema', 'every migration has run')
  const foreign = await checkHistory(db, 'Run that version, or set DATABASE_URL to a new database.')
  if (foreign !== undefined) return foreign
  const row = await readRow<{ can: boolean }>(db, sql`select has_schema_privilege(current_schema(), 'create') as can`)
  if (row?.can !== true) {
    return fail(
      'schema',
      'migrations have not run, and this user lacks the privilege to run them',
      'Run `npm run migrate` as the owner of the schema, or grant this user create on it.'
    )
  }
  return fail(
    'schema',
    'migrations have not run',
    'Run `npm run migrate` (in the image: node dist/scripts/migrate.js).'
  )
}

/** Checks that the user can read and write every table, except those that record migrations. */
const checkPrivileges = async (db: Db): Promise<Finding> => {
  const { rows } = await sql<{ name: string }>`
    select c.relname as name from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and c.relname not like 'migrations%'
      and not (has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert') and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete'))
    order by c.relname`.execute(db)
  const [first] = rows
  if (first === undefined) return ok('privileges', 'the user can read and write every table')
  return fail(
    'privileges',
    `the user cannot read and write ${first.name}${rows.length > 1 ? ` and ${rows.length - 1} more` : ''}`,
    'Run `grant select, insert, update, delete on all tables in schema … to …` as the owner.'
  )
}

const checkClock = async (db: Db): Promise<Finding> => {
  const before = Date.now()
  const row = await readRow<{ ms: number }>(
    db,
    sql`select (extract(epoch from clock_timestamp()) * 1000)::double precision as ms`
  )
  const after = Date.now()
  // The database read its clock between the two, so only a time outside counts as skew.
  const databaseMs = row?.ms ?? before
  const skewMs = Math.round(databaseMs < before ? before - databaseMs : databaseMs > after ? databaseMs - after : 0)
  if (skewMs <= skewToWarnMs) return ok('clocks', `this machine and the database differ by ${skewMs} ms or less`)
  const found = `this machine and the database differ by ${(skewMs / 1000).toFixed(1)} s`
  const cure = 'Synchronize both clocks with NTP.'
  return skewMs > skewToFailMs ? fail('clocks', found, cure) : warn('clocks', found, cure)
}

const checkConnections = async (db: Db, poolSize: number, instances: number): Promise<Finding> => {
  const row = await readRow<{ available: number }>(
    db,
    sql`select current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer as available`
  )
  const available = row?.available ?? 0
  const needed = instances * (poolSize + beyondThePool)
  const found = `${instances} instance${instances === 1 ? '' : 's'} of ${poolSize + beyondThePool} connections need ${needed} of ${available}`
  const cure = 'Lower DATABASE_POOL_SIZE, raise max_connections, or use a pooler in session mode.'
  if (needed > available) return fail('connections', found, cure)
  return needed > available * mostShare
    ? warn('connections', `${found}; few are left for deployments and maintenance`, cure)
    : ok('connections', found)
}

const isElsewhere = (host: string): boolean =>
  !['localhost', '127.0.0.1', '[::1]', ''].includes(host) && !host.startsWith('%2F')

/** Finds an unencrypted connection to the database. */
export const checkEncryption = (url: string, environment: Config['environment']): Finding[] => {
  const { hostname, searchParams } = new URL(url)
  if (environment !== 'production' || !isElsewhere(hostname) || searchParams.has('sslmode') || searchParams.has('ssl'))
    return []
  return [
    warn(
      'database',
      'is used over the network without TLS',
      'Add ?sslmode=require (or verify-full) to DATABASE_URL, unless you control the network.'
    )
  ]
}

const checkPostgres = async (url: string, config: Config, instances: number): Promise<Finding[]> => {
  const { db, close } = openPostgres(url, 2, () => undefined)
  try {
    const findings = [await checkVersion(db), ...(await checkWritable(db)), ...checkEncryption(url, config.environment)]
    const schema = await checkSchema(db)
    findings.push(schema)
    if (schema.state === 'ok') findings.push(await checkPrivileges(db))
    findings.push(await checkClock(db), await checkConnections(db, config.databasePoolSize, instances))
    return findings
  } catch (error) {
    const words = wordsOf(error)
    return [fail('database', words, connectionCures.find(([pattern]) => pattern.test(words))?.[1] ?? '')]
  } finally {
    await close()
  }
}

/** Checks the embedded database, which one process at a time can use. A running server may be that process. */
const checkEmbedded = async (dataDir: string, instances: number): Promise<Finding[]> => {
  if (instances > 1)
    return [
      fail(
        'database',
        `${instances} instances cannot share the embedded database`,
        'Set DATABASE_URL to PostgreSQL 15 or later.'
      )
    ]
  try {
    accessSync(existsSync(dataDir) ? dataDir : '.', constants.W_OK)
  } catch (error) {
    return [unwritable(error)]
  }
  const unlock = await lockDirectory(dataDir).catch(() => undefined)
  await unlock?.()
  if (unlock === undefined) return [ok('database', `embedded, in ${dataDir}; in use by a running server`)]
  return [ok('database', `embedded, in ${dataDir}`), ...(await checkEmbeddedHistory(dataDir))]
}

const checkEmbeddedHistory = async (dataDir: string): Promise<Finding[]> => {
  if (!existsSync(join(dataDir, 'pgdata'))) return []
  const database = await openDatabase({ databaseUrl: undefined, databasePoolSize: 1, dataDir }, () => undefined)
  try {
    const foreign = await checkHistory(
      database.db,
      `Run that version, or move or delete the data directory ${dataDir}.`
    )
    return foreign === undefined ? [] : [foreign]
  } finally {
    await database.close()
  }
}

export const checkDatabase = async (config: Config, instances: number): Promise<Finding[]> =>
  config.databaseUrl === undefined
    ? await checkEmbedded(config.dataDir, instances)
    : await checkPostgres(config.databaseUrl, config, instances)
