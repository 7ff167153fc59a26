import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { sql } from 'kysely'
import { test } from 'tap'
import { lockDirectory } from '../../plugins/database/directory-lock.ts'
import { openDatabase } from '../../plugins/database/index.ts'
import { fillDataDir } from '../build-app.ts'
import { makeFolder } from '../machines/programs.ts'
import { root, scriptToRun } from '../machines/scripts.ts'

test('ledger:verify ends with one line that is a verdict, and with a fitting exit code', async (t) => {
  const dataDir = makeFolder(t, 'verify')
  await fillDataDir(dataDir)
  const run = () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, scriptToRun('scripts/ledger-verify.ts'), {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, NODE_ENV: 'development', ATLAS_DATA_DIR: dataDir }
    })
    // On a slow machine the progress is reported too.
    const lines = stderr.split('\n').filter((line) => !/ … \d+ s$/.test(line))
    return { status, stdout, stderr: lines.join('\n') }
  }
  assert.deepEqual(run(), { status: 0, stdout: 'The ledger is correct: 0 wallets, 0 entries.\n', stderr: '' })

  const database = await openDatabase({ databaseUrl: undefined, databasePoolSize: 1, dataDir }, () => undefined)
  await sql`alter table ledger_entries disable trigger ledger_entries_kept`.execute(database.db)
  await database.close()
  const broken = run()
  assert.equal(broken.status, 1)
  assert.equal(broken.stdout, 'The ledger is not correct: 1 problem found in 0 wallets, 0 entries.\n')
  assert.match(broken.stderr, /BROKEN: .*ledger_entries_kept/)

  const unlock = await lockDirectory(dataDir)
  t.teardown(unlock)
  const busy = run()
  assert.equal(busy.status, 2)
  assert.match(busy.stderr, /Another AtlasForge process uses .*: stop it, or set ATLAS_DATA_DIR/)
})
