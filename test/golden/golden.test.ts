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
  const shown = changes.length === 0 ? 'It has the same lines in another order.' : changes.join('\n')
  assert.fail(
    `test/golden/${name} is not what the program has now. Is the change meant? Then run \`npm run golden\` and commit the file.\n${shown}`
  )
}

test('the operations and what is enforced of each are those that were reviewed', async () => {
  assertGolden('operations.txt', printOperations())
})

test('only the reviewed operations require no credential', async () => {
  assertGolden('unauthenticated.txt', printUnauthenticated())
})

test('the tools that models are offered, and what each tells of itself, are those that were reviewed', async () => {
  assertGolden('tools.txt', printTools())
})

test('the migrations make the schema that was reviewed, on every engine the same', async (t) => {
  const { db } = await openTestDatabase(t)
  assertGolden('schema.sql', await printSchema(db))
})
