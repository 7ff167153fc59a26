import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { scriptToRun } from '../machines/scripts.ts'
import type { Cleaner } from '../test-database.ts'

export const home = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const fixture = join(home, 'test', 'fixtures', 'spec')

/** Runs the generator through its command. */
export const generate = (spec: string, out: string): { status: number | null; output: string } => {
  const run = spawnSync(process.execPath, [...scriptToRun('scripts/generate.ts'), '--spec', spec, '--out', out], {
    cwd: home,
    encoding: 'utf8'
  })
  return { status: run.status, output: run.stdout + run.stderr }
}

/** Generates from the fixture into a scratch folder inside the project, because generated files import its packages and table types. */
export const generateFixture = (t: Cleaner): { scratch: string; out: string } => {
  mkdirSync(join(home, '.cache'), { recursive: true })
  const scratch = mkdtempSync(join(home, '.cache', 'generate-test-'))
  t.teardown(() => rmSync(scratch, { recursive: true, force: true }))
  const out = join(scratch, 'generated')
  const { status, output } = generate(fixture, out)
  assert.equal(status, 0, output)
  return { scratch, out }
}
