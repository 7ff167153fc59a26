import assert from 'node:assert/strict'
import fc from 'fast-check'
import { sql } from 'kysely'
import { t, test } from 'tap'
import { arrayText } from '../../../plugins/database/array-text.ts'
import { openTestDatabase } from '../../build-app.ts'

test('an array reaches the database unchanged, whatever characters it contains', async () => {
  const { db } = await openTestDatabase(t)
  const storable = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'))
  const marked = fc.string({
    unit: fc.constantFrom('"', '\\', 'n', 'u', ',', '{', '}', '\n', '\t', '\u001f', '\u007f', ' ', 'é', '🏦')
  })
  const texts = fc.array(fc.option(fc.oneof(storable, marked, fc.constantFrom('null', 'NULL', ''))))
  await fc.assert(
    fc.asyncProperty(texts, fc.array(fc.option(fc.maxSafeInteger())), async (given, numbers) => {
      const { rows } =
        await sql`select ${arrayText(given)}::text[] as texts, to_json(${arrayText(numbers.map((number) => (number === null ? null : String(number))))}::bigint[]) as numbers`.execute(
          db
        )
      assert.deepEqual(rows, [{ texts: given, numbers }])
    }),
    { numRuns: 200 }
  )
})
