import assert from 'node:assert/strict'
import { test } from 'tap'
import { collect } from '../../../plugins/database/collector.ts'

test('a statement that waited its full limit on a silent database fails without waiting for the next', async () => {
  let nowMs = 0
  const asked: number[][] = []
  const silent = Object.assign(new Error('Query read timeout'), { name: 'Silent' })
  const ask = collect(
    async (items: number[]) => {
      asked.push(items)
      if (asked.length > 1) return items
      await new Promise(setImmediate)
      nowMs += 20_000
      throw silent
    },
    { waitLimitMs: 20_000, nowMs: () => nowMs }
  )
  const first = assert.rejects(ask(1), silent)
  const waited = [2, 3].map((item) => assert.rejects(ask(item), { name: 'ProblemError', message: /^unavailable: / }))
  await first
  const late = ask(4)
  await Promise.all(waited)
  assert.equal(await late, 4)
  assert.deepEqual(asked, [[1], [4]])
})
