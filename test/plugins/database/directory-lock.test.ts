import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { lockDirectory } from '../../../plugins/database/directory-lock.ts'
import type { Cleaner } from '../../test-database.ts'

const temporaryDir = (t: Cleaner, name = 'atlas-lock-'): string => {
  const dir = mkdtempSync(join(tmpdir(), name))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Another process that holds the lock of `dir` until it is killed. */
const holdElsewhere = async (dir: string) => {
  const script = `
    import { lockDirectory } from ${JSON.stringify(new URL('../../../plugins/database/directory-lock.ts', import.meta.url).href)}
    await lockDirectory(${JSON.stringify(dir)})
    console.log('held')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  await once(child.stdout, 'data')
  return child
}

test('a second process cannot use the data directory, and the error says what to do', async (t) => {
  const dir = temporaryDir(t)
  const holder = await holdElsewhere(dir)
  t.teardown(() => void holder.kill('SIGKILL'))
  await assert.rejects(lockDirectory(dir), /Another AtlasForge process.*ATLAS_DATA_DIR/)
})

test('the lock of a process killed with -9 is released at once', async (t) => {
  const dir = temporaryDir(t)
  const holder = await holdElsewhere(dir)
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  const unlock = await lockDirectory(dir)
  await unlock()
})

test('a directory with a path too long for a socket can be locked as well', async (t) => {
  const dir = join(temporaryDir(t), 'd'.repeat(120))
  const unlock = await lockDirectory(dir)
  await assert.rejects(lockDirectory(dir), /Another AtlasForge process/)
  await unlock()
  await (
    await lockDirectory(dir)
  )()
})
