import assert from 'node:assert/strict'
import { test } from 'tap'
import { collect } from '../../../plugins/database/collector.ts'

test('a statement that waited its full limit on a silent database fails without waiting for the next', async () => {
  let nowMs = 0
  const batches: number[][] = []
  const silent = Object.assign(new Error('Query read timeout'), { name: 'Silent' })
  const run = collect(
    async (items: number[]) => {
      batches.push(items)
      if (batches.length > 1) return items
      await new Promise(setImmediate)
      nowMs += 20_000
      throw silent
    },
    { waitLimitMs: 20_000, nowMs: () => nowMs }
  )
  const first = assert.rejects(run(1), silent)
  const waited = [2, 3].map((item) => assert.rejects(run(item), { name: 'ProblemError', message: /^unavailable: / }))
  await first
  const late = run(4)
  await Promise.all(waited)
  assert.equal(await late, 4)
  assert.deepEqual(batches, [[1], [4]])
})
