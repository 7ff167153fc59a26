import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'tap'
import { openTestDatabase } from '../build-app.ts'
import { printOperations, printSchema, printTools, printUnauthenticated } from './print.ts'

const assertGolden = (name: string, text: string): void => {
  const file = new URL(name, import.meta.url)
  const golden = existsSync(file) ? readFileSync(file, 'utf8') : ''
  if (text === golden) return
  const [now, reviewed] = [text.split('\n'), golden.split('\n')]
  const changes = [
    ...reviewed.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !reviewed.includes(line)).map((line) => `+ ${line}`)
  ]
  const shown = changes.length === 0 ? 'The same lines are in another order.' : changes.join('\n')
  assert.fail(
    `test/golden/${name} is out of date. If the change is intended, run \`npm run golden\` and commit the file.\n${shown}`
  )
}

test('the operations and the rules enforced on each match the reviewed list', async () => {
  assertGolden('operations.txt', printOperations())
})

test('only the reviewed operations require no credential', async () => {
  assertGolden('unauthenticated.txt', printUnauthenticated())
})

test('the tools offered to models, and the hints of each, match the reviewed list', async () => {
  assertGolden('tools.txt', printTools())
})

test('the migrations create the reviewed schema, the same on every engine', async (t) => {
  const { db } = await openTestDatabase(t)
  assertGolden('schema.sql', await printSchema(db))
})
