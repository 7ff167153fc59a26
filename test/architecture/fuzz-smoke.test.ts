import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { fuzz } from '../fuzz/fuzzer.ts'

const onServer = (process.env.TEST_DATABASE_URL ?? '') !== ''

/** Fixed, so that every run sends the same requests. `npm run test:fuzz` sends many more, different ones in each run. */
const seed = 20260614

test(
  'random requests to every operation are handled as specified, and leak no internals or foreign data',
  { skip: onServer ? false : 'takes minutes on the embedded database, where `npm run test:fuzz` covers it' },
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
