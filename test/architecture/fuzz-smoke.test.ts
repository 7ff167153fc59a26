import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { fuzz } from '../fuzz/fuzzer.ts'

/** Fixed, so that the same requests are sent each time; `npm run test:fuzz` sends many more, and others each time. */
const seed = 20260614

test('a few strange and wrong requests to every operation are answered as the specification says, without a trace of the inside or of another tenant', async () => {
  const { findings, broken, requests, operations } = await fuzz({ after }, { seed, valid: 2, invalid: 3, only: [], print: () => undefined })
  assert.equal(requests, 5 * operations)
  assert.deepEqual(findings, [])
  assert.deepEqual(broken, [])
})
