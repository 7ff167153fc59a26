import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { test } from 'tap'
import { openDatabase } from '../../plugins/database/index.ts'
import { root, scriptToRun, sourceToRun } from '../machines/scripts.ts'

test('a data directory of another version is rejected in one line', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'atlas-old-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const database = await openDatabase({ databaseUrl: undefined, databasePoolSize: 1, dataDir }, () => undefined)
  await sql`create table migrations (name text)`.execute(database.db)
  await sql`insert into migrations values ('0002-plaid-simulator'), ('0003-stripe-simulator')`.execute(database.db)
  await database.close()
  const run = (command: string[]) => {
    const env = { PATH: process.env.PATH ?? '', ATLAS_DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent' }
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, env })
    assert.equal(status, 1)
    // On a slow machine, standard error has the progress too.
    return `${stdout.toString()}${stderr.toString().replaceAll(/^.* … \d+ s\n/gm, '')}`
  }
  for (const command of [sourceToRun('scripts/migrate.ts'), scriptToRun('server.ts')]) {
    const output = run(command)
    assert.match(output, /migration 0002-plaid-simulator and 1 more .* move or delete the data directory/)
    assert.equal(output.trim().split('\n').length, 1, output)
  }
  const diagnosis = run(scriptToRun('scripts/doctor.ts'))
  assert.match(diagnosis, /FAIL {2}schema .*0002-plaid-simulator\n.*move or delete the data directory/)
})
