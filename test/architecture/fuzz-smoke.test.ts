import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { fuzz } from '../fuzz/fuzzer.ts'

const onServer = (process.env.TEST_DATABASE_URL ?? '') !== ''

/** Fixed, so that the same requests are sent each time; `npm run test:fuzz` sends many more, and others each time. */
const seed = 20260614

test(
  'random requests to every operation are handled as specified, and leak no internals or foreign data',
  { skip: onServer ? false : 'on the embedded database this takes minutes; `npm run test:fuzz` does it there, too' },
  async () => {
    const { findings, broken, requests, operations } = await fuzz(t, {
      seed,
      valid: 2,
      invalid: 3,
      only: [],
      print: () => undefined
    })
    assert.equal(requests, 5 * operations)
    assert.deepEqual(findings, [])
    assert.deepEqual(broken, [])
  }
)
