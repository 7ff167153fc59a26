import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'tap'
import { lockDirectory } from '../../plugins/database/directory-lock.ts'
import { fillDataDir, type Cleaner } from '../build-app.ts'
import { freePort, listens } from '../machines/ports.ts'
import { makeFolder, startProgram, type Program } from '../machines/programs.ts'
import { root } from '../machines/scripts.ts'
import { until } from '../machines/waiting.ts'

const npmStart = ['npm', 'start', '--silent']
const scriptAlone = [process.execPath, 'scripts/start.js']

const runStart = (t: Cleaner, settings: Record<string, string>, [file = '', ...args] = scriptAlone): Program =>
  startProgram(t, file, args, {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'development', DATABASE_URL: '', ...settings }
  })

/** The output of a start that fails. */
const failedStart = async (t: Cleaner, settings: Record<string, string>): Promise<string[]> => {
  const program = runStart(t, settings)
  await once(program.child, 'close')
  assert.equal(program.child.exitCode, 1, program.output())
  return program
    .output()
    .trim()
    .split('\n')
    .filter((line) => !line.endsWith('…'))
}

for (const [stopped, command] of [
  ['npm', npmStart],
  ['the script', scriptAlone]
] as const)
  test(`npm start reports progress, stops on SIGTERM to ${stopped}, and creates nothing at the next start`, async (t) => {
    const dataDir = join(makeFolder(t, 'start'), 'data')
    const run = async (): Promise<string> => {
      const port = await freePort()
      const program = runStart(t, { ATLAS_DATA_DIR: dataDir, PORT: String(port) }, command)
      await until('the greeting is printed', () => {
        if (!program.isRunning()) throw new Error(program.output())
        return program.output().includes('Ctrl-C stops the server.')
      })
      assert.ok((await fetch(`http://127.0.0.1:${port}/api/v1/health/ready`)).ok)
      assert.match(program.output(), new RegExp(`npm run quickstart -- --url http://localhost:${port} --key afg_test_`))
      await program.end('SIGTERM')
      assert.equal(program.child.exitCode, 0)
      assert.equal(await listens(port), false)
      const unlock = await lockDirectory(dataDir)
      await unlock()
      return program.output()
    }
    const first = await run()
    assert.match(first, /Creating the embedded database/)
    assert.match(first, /Creating tables, keys and demo data/)
    assert.ok(existsSync(join(dataDir, 'pgdata')))
    assert.doesNotMatch(await run(), /Compiling|Creating/)
  })

test('npm run dev stops on SIGTERM to npm, and leaves no process behind', async (t) => {
  const dataDir = makeFolder(t, 'dev')
  await fillDataDir(dataDir)
  const port = await freePort()
  const program = runStart(t, { ATLAS_DATA_DIR: dataDir, PORT: String(port) }, ['npm', 'run', '--silent', 'dev'])
  await until('the greeting is printed', () => {
    if (!program.isRunning()) throw new Error(program.output())
    return program.output().includes('Ctrl-C stops the server.')
  })
  await program.end('SIGTERM')
  await until('the server has stopped', async () => !(await listens(port)))
  await until('the data directory is free', async () => {
    const unlock = await lockDirectory(dataDir).catch(() => undefined)
    await unlock?.()
    return unlock !== undefined
  })
})

test('a start on a port in use says in one sentence what to do, and creates no database', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  const dataDir = makeFolder(t, 'start')
  const lines = await failedStart(t, { ATLAS_DATA_DIR: dataDir, PORT: String(port) })
  assert.equal(lines.length, 1, lines.join('\n'))
  assert.match(
    lines[0] ?? '',
    new RegExp(`^Port ${port} is in use: stop .*, or choose another port, such as PORT=\\d+\\.$`)
  )
  assert.deepEqual(readdirSync(dataDir), ['root.key'])
})

test('a second start with the same data directory says in one sentence what to do', async (t) => {
  const dataDir = makeFolder(t, 'start')
  const unlock = await lockDirectory(dataDir)
  t.teardown(unlock)
  const lines = await failedStart(t, { ATLAS_DATA_DIR: dataDir, PORT: '0' })
  assert.equal(lines.length, 1, lines.join('\n'))
  assert.match(lines[0] ?? '', /^Another AtlasForge process uses .*: stop it, or set ATLAS_DATA_DIR/)
  assert.equal(existsSync(join(dataDir, 'pgdata')), false)
})

test('a start with an invalid setting, address or database prints no stack trace and creates no database', async (t) => {
  const dataDir = makeFolder(t, 'start')
  const failures: [settings: Record<string, string>, message: RegExp][] = [
    [{ PORT: 'abc' }, /^The configuration needs a correction:\n {2}- PORT is not valid\. .*$/],
    [{ PORT: '0', HOST: '192.0.2.1' }, /^The server cannot listen at 192\.0\.2\.1:0 \(.*\): set HOST to .*$/],
    [
      { PORT: '0', DATABASE_URL: 'postgres://atlas:secret@127.0.0.1:1/atlas' },
      /^The server cannot use the database \(connect ECONNREFUSED 127\.0\.0\.1:1\): check DATABASE_URL, or run `npm run doctor`\.$/
    ]
  ]
  for (const [settings, message] of failures)
    assert.match((await failedStart(t, { ATLAS_DATA_DIR: dataDir, ...settings })).join('\n'), message)
  assert.equal(existsSync(join(dataDir, 'pgdata')), false)
})
