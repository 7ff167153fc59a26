import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { buildApp } from '../../../app.ts'
import { loadConfig } from '../../../plugins/config/index.ts'
import { openDatabase } from '../../../plugins/database/index.ts'
import { fillDataDir } from '../../build-app.ts'
import { createPartner } from '../../credentials.ts'
import { root, scriptToRun } from '../../machines/scripts.ts'

const run = (args: string[], env: Record<string, string>): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((done) => {
    execFile(
      process.execPath,
      [...scriptToRun('scripts/bureau-replay.ts'), ...args],
      { cwd: root, env: { ...process.env, ...env } },
      (error, stdout, stderr) => done({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    )
  })

test('the replay recomputes a score from its events, explains each event, and detects wrong counters', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'atlas-replay-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const env = { NODE_ENV: 'test', ATLAS_DATA_DIR: dataDir, DATABASE_URL: '' }
  const config = loadConfig({ NODE_ENV: 'test', ATLAS_DATA_DIR: dataDir })
  await fillDataDir(dataDir)
  const first = await openDatabase(config, () => undefined)
  const app = await buildApp({ config, database: first })
  const { testKey } = await createPartner(app.database)
  const post = async (url: string, body: object) =>
    (await app.inject({ method: 'POST', url, headers: { authorization: `Bearer ${testKey}` }, payload: body })).json<
      Record<string, number>
    >()
  await post('/v2/api/register', { agent_id: 'replayed' })
  const { account_id } = await post('/v2/api/account', {
    action: 'open',
    agent_id: 'replayed',
    platform: 'p',
    account_type: 'credit',
    credit_limit: 1000
  })
  const report = { agent_id: 'replayed', reporter_name: 'R', reporter_platform: 'p' }
  for (const report_type of ['payment_ontime', 'dispute', 'debt_opened'])
    await post('/v2/api/report', { ...report, report_type, notes: 'a\u001b[2J\u202e\nb' })
  await post('/v2/api/report', { ...report, report_type: 'debt_closed', amount: 250, notes: 'paid off' })
  const { new_score } = await post('/v2/api/account', { action: 'close', agent_id: 'replayed', account_id })
  await app.close()
  await first.close()

  const told = await run(['--agent', 'replayed'], env)
  assert.equal(told.code, 0, told.stderr)
  const lines = told.stdout.trim().split('\n')
  assert.equal(lines.length, 1 + 6 + 2)
  assert.doesNotMatch(told.stdout.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u, 'a terminal obeys none of the stored text')
  assert.match(
    lines[1] ?? '',
    /500 → 508 {2}credit_account_open of 1000 credits \(account \d+\) by p on p: accounts \+8$/
  )
  assert.match(lines[2] ?? '', /508 → 526 .* payments \+18\.18$/)
  assert.match(lines[3] ?? '', /526 → 511 .* disputes −15$/)
  assert.match(lines[4] ?? '', /511 → 511 .* no effect$/)
  assert.match(lines[5] ?? '', /511 → 526 {2}debt_closed of 250 credits by R on p: paid off: utilisation \+15$/)
  assert.match(lines[6] ?? '', /526 → 533 .* accounts −8, utilisation \+15$/)
  assert.match(lines[7] ?? '', new RegExp(`${new_score} \\(Poor\\)`))
  assert.match(lines[8] ?? '', /agree with these 6 events/)

  const database = await openDatabase(config, () => undefined)
  await database.db.updateTable('bureau_agents').set({ disputes: 0 }).execute()
  await database.close()
  const bent = await run(['--agent', 'replayed'], env)
  assert.deepEqual([bent.code, /THE COUNTERS DIFFER/.test(bent.stdout)], [1, true])
  assert.equal((await run(['--agent', 'nobody'], env)).code, 2)
  assert.match((await run(['--help'], env)).stdout, /--agent ID/)
})
