import { accessSync, constants, existsSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Config } from '../../plugins/config/index.ts'
import { lockDirectory } from '../../plugins/database/directory-lock.ts'
import { openDatabase, openPostgres } from '../../plugins/database/index.ts'
import { findUnknown, isMigrated } from '../../plugins/database/migrate.ts'
import type { Db } from '../../plugins/database/types.ts'
import { fail, ok, warn, wordsOf, type Finding } from './finding.ts'

const leastVersion = 15
const skewToWarnMs = 2_000
/** Signatures are good for five minutes, and access tokens for fifteen. */
const skewToFailMs = 60_000
/** Of the connections that the database has; the rest is for others, for deployments and for a person who looks. */
const mostShare = 0.8
/** Beside its pool an instance holds one connection for its locks. */
const beyondThePool = 1

const connectionCures: [RegExp, string][] = [
  [
    /28P01|28000|password|SASL/i,
    'Check the user and the password in DATABASE_URL; characters such as @ and / in a password must be percent-encoded.'
  ],
  [/3D000|does not exist/, 'Create the database: createdb, or the console of your provider.'],
  [/ENOTFOUND|EAI_AGAIN/, 'Check the host in DATABASE_URL, and that this machine can resolve it.'],
  [
    /SSL|TLS|certificate/i,
    'Check sslmode in DATABASE_URL against what the database wants; a certificate of its own needs sslrootcert.'
  ],
  [
    /53300|too many clients/i,
    'The database has no connection left: raise max_connections, or lower DATABASE_POOL_SIZE.'
  ]
]

const checkVersion = async (db: Db): Promise<Finding> => {
  const { rows } = await sql<{
    number: number
    text: string
  }>`select current_setting('server_version_num')::integer as number, current_setting('server_version') as text`.execute(
    db
  )
  const [version] = rows
  const major = Math.floor((version?.number ?? 0) / 10_000)
  return major >= leastVersion
    ? ok('database', `PostgreSQL ${version?.text}`)
    : fail('database', `PostgreSQL ${version?.text}`, `Use PostgreSQL ${leastVersion} or later.`)
}

const checkWritable = async (db: Db): Promise<Finding[]> => {
  const { rows } = await sql<{
    replica: boolean
    readonly: string
  }>`select pg_is_in_recovery() as replica, current_setting('transaction_read_only') as readonly`.execute(db)
  if (rows[0]?.replica === true)
    return [fail('database', 'is a replica, which cannot be written', 'Let DATABASE_URL name the primary.')]
  if (rows[0]?.readonly === 'on')
    return [
      fail(
        'database',
        'allows reading only',
        'Let the user write: alter role … set default_transaction_read_only = off.'
      )
    ]
  return []
}

/** A schema that was made by another version, and is not just ahead of this one. */
const checkHistory = async (db: Db, cure: string): Promise<Finding | undefined> => {
  const [unknown] = await findUnknown(db)
  if (unknown === undefined || (await isMigrated(db))) return undefined
  return fail(
    'schema',
    `was made by another version of AtlasForge: this one does not have the migration ${unknown}`,
    cure
  )
}

const checkSchema = async (db: Db): Promise<Finding> => {
  if (await isMigrated(db)) return ok('schema', 'every migration has run')
  const foreign = await checkHistory(db, 'Run that version, or set DATABASE_URL to a new database.')
  if (foreign !== undefined) return foreign
  const { rows } = await sql<{
    may_create: boolean | null
  }>`select has_schema_privilege(current_schema(), 'create') as may_create`.execute(db)
  if (rows[0]?.may_create !== true) {
    return fail(
      'schema',
      'migrations have not run, and this user may not run them',
      'Run `npm run migrate` as the owner of the schema, or grant this user create on it.'
    )
  }
  return fail(
    'schema',
    'migrations have not run',
    'Run `npm run migrate` (in the image: node dist/scripts/migrate.js).'
  )
}

/** Whether the user may read and write every table. Those that record migrations are for the user that migrates. */
const checkPrivileges = async (db: Db): Promise<Finding> => {
  const { rows } = await sql<{ name: string }>`
    select c.relname as name from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and c.relname not like 'migrations%'
      and not (has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert') and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete'))
    order by c.relname`.execute(db)
  const [first] = rows
  if (first === undefined) return ok('privileges', 'the user may read and write every table')
  return fail(
    'privileges',
    `the user may not read and write ${first.name}${rows.length > 1 ? ` and ${rows.length - 1} more` : ''}`,
    'Run `grant select, insert, update, delete on all tables in schema … to …` as the owner.'
  )
}

const checkClock = async (db: Db): Promise<Finding> => {
  const before = Date.now()
  const { rows } = await sql<{
    ms: number
  }>`select (extract(epoch from clock_timestamp()) * 1000)::double precision as ms`.execute(db)
  const after = Date.now()
  // The answer was made at some time in between, so only what lies outside counts.
  const databaseMs = rows[0]?.ms ?? before
  const skewMs = Math.round(databaseMs < before ? before - databaseMs : databaseMs > after ? databaseMs - after : 0)
  if (skewMs <= skewToWarnMs) return ok('clocks', `this machine and the database differ by ${skewMs} ms or less`)
  const found = `this machine and the database differ by ${(skewMs / 1000).toFixed(1)} s`
  const cure = 'Let both follow a time server (NTP).'
  return skewMs > skewToFailMs ? fail('clocks', found, cure) : warn('clocks', found, cure)
}

const checkConnections = async (db: Db, poolSize: number, instances: number): Promise<Finding> => {
  const { rows } = await sql<{ most: number; reserved: number }>`
    select current_setting('max_connections')::integer as most, current_setting('superuser_reserved_connections')::integer as reserved`.execute(
    db
  )
  const available = (rows[0]?.most ?? 0) - (rows[0]?.reserved ?? 0)
  const needed = instances * (poolSize + beyondThePool)
  const found = `${instances} instance${instances === 1 ? '' : 's'} of ${poolSize + beyondThePool} connections need ${needed} of ${available}`
  const cure = 'Lower DATABASE_POOL_SIZE, raise max_connections, or put a pooler in session mode between.'
  if (needed > available) return fail('connections', found, cure)
  return needed > available * mostShare
    ? warn('connections', `${found}; little is left for a deployment or a person`, cure)
    : ok('connections', found)
}

const isElsewhere = (host: string): boolean =>
  !['localhost', '127.0.0.1', '[::1]', ''].includes(host) && !host.startsWith('%2F')

/** Whether what is asked of the database can be read on the way. */
export const checkEncryption = (url: string, environment: Config['environment']): Finding[] => {
  const { hostname, searchParams } = new URL(url)
  if (environment !== 'production' || !isElsewhere(hostname) || searchParams.has('sslmode') || searchParams.has('ssl'))
    return []
  return [
    warn(
      'database',
      'is asked over the network without TLS',
      'Add ?sslmode=require (or verify-full) to DATABASE_URL, unless the network is your own.'
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
    const cure = connectionCures.find(([pattern]) => pattern.test(words))?.[1]
    return [
      fail(
        'database',
        words,
        cure ??
          'Check the host and the port in DATABASE_URL, that the database runs, and that nothing between blocks it.'
      )
    ]
  } finally {
    await close()
  }
}

/** The embedded database has one process; a server that runs has it for itself, and that is well. */
const checkEmbedded = async (dataDir: string, instances: number): Promise<Finding[]> => {
  if (instances > 1)
    return [
      fail(
        'database',
        `${instances} instances cannot share the embedded one`,
        'Set DATABASE_URL to a PostgreSQL 15 or later.'
      )
    ]
  try {
    accessSync(existsSync(dataDir) ? dataDir : '.', constants.W_OK)
  } catch (error) {
    return [
      fail(
        'data directory',
        wordsOf(error),
        'Let the user that runs the server write there, or name another one by ATLAS_DATA_DIR.'
      )
    ]
  }
  const unlock = await lockDirectory(dataDir).catch(() => undefined)
  await unlock?.()
  if (unlock === undefined) return [ok('database', `embedded, in ${dataDir}; a server uses it at the moment`)]
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
