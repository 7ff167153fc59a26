import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sql, type RawBuilder } from 'kysely'
import { test } from 'tap'
import { openPostgres } from '../../../plugins/database/index.ts'
import { isMigrated, migrateToLatest } from '../../../plugins/database/migrate.ts'
import { createMigrations, UnknownMigrationsError } from '../../../plugins/database/migrator.ts'
import type { Db } from '../../../plugins/database/types.ts'
import { createPostgresDatabase, openTestDatabase, type Cleaner } from '../../build-app.ts'

const serverUrl = process.env.TEST_DATABASE_URL ?? ''
const skip = serverUrl === '' ? 'requires a PostgreSQL server: an embedded database has one process' : false

const schema = 'trial'
const migration = (...statements: RawBuilder<unknown>[]) => ({
  async up(db: Db) {
    for (const statement of statements) await statement.execute(db)
  }
})
const createTrialTable = migration(sql`create table trial.things (id integer primary key)`)

/** A folder of SQL functions, whose files the test writes. */
const functionFiles = (t: Cleaner) => {
  const folder = mkdtempSync(join(tmpdir(), 'atlas-functions-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return {
    folder,
    write: (name: string, text: string) => writeFileSync(join(folder, `${name}.sql`), text),
    remove: (name: string) => rmSync(join(folder, `${name}.sql`))
  }
}

const valueOf = async (db: Db, expression: string): Promise<unknown> =>
  (await sql<{ value: unknown }>`select ${sql.raw(expression)} as value`.execute(db)).rows[0]?.value

test('a second instance can migrate while the first is running', { skip, timeout: 60_000 }, async (t) => {
  const { url, drop } = await createPostgresDatabase(serverUrl)
  const [first, second] = [openPostgres(url, 4, () => undefined), openPostgres(url, 4, () => undefined)]
  t.teardown(async () => {
    await Promise.allSettled([first.close(), second.close()])
    await drop()
  })
  const { migrateToLatest: migrate } = createMigrations({ migrations: { '0001-things': createTrialTable }, schema })
  const ran = await Promise.all([migrate(first.db), migrate(second.db)])
  assert.deepEqual(ran.flat(), ['0001-things'])
  assert.deepEqual(await migrateToLatest(first.db), [])
  assert.deepEqual(await migrateToLatest(second.db), [])
})

test('a failing migration throws its own error and leaves nothing behind', async (t) => {
  const { db } = await openTestDatabase(t)
  const failing = createMigrations({
    migrations: { '0001-things': createTrialTable, '0002-again': createTrialTable },
    schema
  })
  await assert.rejects(failing.migrateToLatest(db), /relation "things" already exists/)
  assert.equal(await valueOf(db, `to_regclass('trial.things')`), null)
  assert.equal(await failing.isMigrated(db), false)
})

test('a migration that loses a deadlock is retried', { skip, timeout: 60_000 }, async (t) => {
  const { url, drop } = await createPostgresDatabase(serverUrl)
  const database = openPostgres(`${url}?options=-c%20deadlock_timeout=50ms`, 4, () => undefined)
  t.teardown(async () => {
    await database.close()
    await drop()
  })
  const lockBoth = migration(
    sql`alter table approvals add column trial integer`,
    sql`alter table agents add column trial integer`
  )
  const { migrateToLatest: migrate } = createMigrations({ migrations: { '0001-lock': lockBoth }, schema })
  const migrated = await database.db.transaction().execute(async (trx) => {
    await sql`set local deadlock_timeout = '1min'`.execute(trx)
    await sql`lock table agents in row exclusive mode`.execute(trx)
    const migrating = migrate(database.db)
    const isWaiting = async () =>
      (await sql`select from pg_locks where relation = 'agents'::regclass and not granted`.execute(trx)).rows.length > 0
    while (!(await isWaiting())) await delay(5)
    await sql`lock table approvals in row exclusive mode`.execute(trx)
    return { migrating }
  })
  assert.deepEqual(await migrated.migrating, ['0001-lock'])
})

test('a database with migrations unknown to this version is rejected', async (t) => {
  const { db } = await openTestDatabase(t)
  await sql`insert into migrations (name) values ('0002-plaid-simulator')`.execute(db)
  await assert.rejects(
    migrateToLatest(db),
    (error) =>
      error instanceof UnknownMigrationsError &&
      /0002-plaid-simulator/.test(error.message) &&
      /data directory .* else set DATABASE_URL to a new database/.test(error.message)
  )
  // An instance of the previous version continues while the next version replaces it.
  assert.equal(await isMigrated(db), true)
})

test('functions are created callees first, replaced when their text changes, and dropped with their file', async (t) => {
  const { db } = await openTestDatabase(t)
  const { folder, write, remove } = functionFiles(t)
  // Each call reads the files again, as another version would.
  const migrations = () =>
    createMigrations({ migrations: { '0001-things': createTrialTable }, functionsFolder: folder, schema })
  const callee = (text: string) =>
    `-- A comment; with 'signs'.\ncreate or replace function trial.z_callee() returns ${text} $$;`
  write(
    'a_caller',
    `create or replace function trial.a_caller() returns text language sql as $$ select trial.z_callee()::text $$;`
  )
  write('z_callee', callee(`integer language sql as $$ select 1`))
  const first = migrations()
  assert.deepEqual(await first.migrateToLatest(db), ['0001-things'])
  assert.equal(await valueOf(db, 'trial.a_caller()'), '1')

  write('z_callee', callee(`integer language sql as $$ select 2`))
  const second = migrations()
  assert.equal(await second.isMigrated(db), false)
  assert.deepEqual(await second.migrateToLatest(db), [])
  assert.deepEqual([await second.isMigrated(db), await first.isMigrated(db)], [true, true])
  assert.equal(await valueOf(db, 'trial.a_caller()'), '2')

  // Neither a new result type nor a new parameter type leaves the old function behind.
  write('z_callee', callee(`text language sql as $$ select 'three'::text`))
  await migrations().migrateToLatest(db)
  assert.equal(await valueOf(db, 'trial.a_caller()'), 'three')
  write(
    'z_callee',
    `create or replace function trial.z_callee(n bigint default 4) returns bigint language sql as $$ select n $$;`
  )
  await migrations().migrateToLatest(db)
  assert.equal(await valueOf(db, 'trial.a_caller()'), '4')

  // The first version again.
  await first.migrateToLatest(db)
  assert.equal(await valueOf(db, 'trial.a_caller()'), '1')

  remove('a_caller')
  await migrations().migrateToLatest(db)
  assert.equal(await valueOf(db, `to_regproc('trial.a_caller')`), null)
})

test('a trigger in the file of its function is replaced with it, in the transaction of the migrations', async (t) => {
  const { db } = await openTestDatabase(t)
  const { folder, write } = functionFiles(t)
  const migrate = () =>
    createMigrations({
      migrations: { '0001-things': createTrialTable },
      functionsFolder: folder,
      schema
    }).migrateToLatest(db)
  const guard = (condition: string) => `
    create or replace function trial.guard() returns trigger language plpgsql as $$
    begin
      raise exception 'refused; %', tg_argv[0];
    end $$;
    create or replace trigger guard before insert on trial.things for each row when (${condition}) execute function trial.guard('a; b');`
  write('guard', guard('new.id = 1'))
  await migrate()
  await assert.rejects(sql`insert into trial.things values (1)`.execute(db), /refused; a; b/)
  write('guard', guard('new.id = 2'))
  await migrate()
  await sql`insert into trial.things values (1)`.execute(db)
  await assert.rejects(sql`insert into trial.things values (2)`.execute(db), /refused; a; b/)

  write('guard', guard('new.no_such_column = 2'))
  await assert.rejects(migrate(), /no_such_column/)
  await assert.rejects(sql`insert into trial.things values (2)`.execute(db), /refused; a; b/)
})

test('after migrations, tables that hold rows are analyzed and empty ones are not', async (t) => {
  const { db } = await openTestDatabase(t)
  const filled = migration(
    sql`create table trial.filled (id integer)`,
    sql`insert into trial.filled select generate_series(1, 10)`,
    sql`create table trial.emptied (id integer)`,
    sql`insert into trial.emptied values (1)`,
    sql`delete from trial.emptied`
  )
  await createMigrations({
    migrations: { '0001-things': createTrialTable, '0002-filled': filled },
    schema
  }).migrateToLatest(db)
  const { rows } = await sql<{ name: string; rows: number }>`
    select relname as name, reltuples::integer as rows from pg_class
    where relnamespace = 'trial'::regnamespace and relkind = 'r' and relname not like 'migrations%' order by relname`.execute(
    db
  )
  assert.deepEqual(rows, [
    { name: 'emptied', rows: -1 },
    { name: 'filled', rows: 10 },
    { name: 'things', rows: -1 }
  ])
})

test('each function in the database has a file with its body, and no others exist', async (t) => {
  const { db } = await openTestDatabase(t)
  const { rows } = await sql<{ name: string; body: string }>`
    select proname as name, prosrc as body from pg_proc where pronamespace = 'public'::regnamespace order by proname collate "C"`.execute(
    db
  )
  const folder = join(import.meta.dirname, '../../../plugins/database/functions')
  assert.deepEqual(
    rows.map(({ name }) => `${name}.sql`),
    readdirSync(folder).sort()
  )
  for (const { name, body } of rows) assert.ok(readFileSync(join(folder, `${name}.sql`), 'utf8').includes(body), name)
})
