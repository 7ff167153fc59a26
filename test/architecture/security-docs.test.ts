import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { root } from '../machines/scripts.ts'

/** The text of a test file, or of all test files of a folder, without what typography may change in a title; undefined when there is none. */
const sourceOf = (path: string): string | undefined => {
  const folder = join(root, 'test', path)
  const inFolder = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []
  const files = [`${folder}.test.ts`, ...inFolder].filter((file) => file.endsWith('.test.ts') && existsSync(file))
  return files.length === 0 ? undefined : files.map((file) => plain(readFileSync(file, 'utf8'))).join('\n')
}

const plain = (text: string): string => text.replaceAll('’', "'").replaceAll('\\', '')

test('every test that the threat model names exists under its title', async () => {
  const rows = readFileSync(join(root, 'docs/security.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '))
  const named = rows.flatMap((row) => [...(row.split('|').at(-2) ?? '').matchAll(/`([a-z][\w/.-]+)`(?:: ([^;]*))?/g)])
  assert.ok(named.length > 50)
  const missing = named.filter(([, path = '', title = '']) => {
    const source = sourceOf(path)
    return source === undefined || title.split('…').some((part) => !source.includes(plain(part.trim())))
  })
  assert.deepEqual(
    missing.map(([reference]) => reference),
    []
  )
})
