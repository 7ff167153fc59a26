import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { freePort, listens } from '../machines/ports.ts'
import { makeFolder, startProgram } from '../machines/programs.ts'
import { root } from '../machines/scripts.ts'
import { until } from '../machines/waiting.ts'

test('npm start reports progress, serves, stops on SIGTERM to npm, and creates nothing at the next start', async (t) => {
  const dataDir = join(makeFolder(t, 'start'), 'data')
  const run = async (): Promise<string> => {
    const port = await freePort()
    const env = {
      ...process.env,
      NODE_ENV: 'development',
      ATLAS_DATA_DIR: dataDir,
      PORT: String(port),
      DATABASE_URL: ''
    }
    const npm = startProgram(t, 'npm', ['start', '--silent'], { cwd: root, env })
    await until('the server responds', async () => {
      if (!npm.isRunning()) throw new Error(npm.output())
      return await fetch(`http://127.0.0.1:${port}/api/v1/health/ready`).then(
        ({ ok }) => ok,
        () => false
      )
    })
    await until('the greeting is printed', () => npm.output().includes('Test key'))
    await npm.end('SIGTERM')
    assert.equal(npm.child.exitCode, 0)
    assert.equal(await listens(port), false)
    return npm.output()
  }
  const first = await run()
  assert.match(first, /Creating the embedded database/)
  assert.match(first, /Creating tables, keys and demo data/)
  assert.ok(existsSync(join(dataDir, 'pgdata')))
  assert.doesNotMatch(await run(), /Compiling|Creating/)
})
