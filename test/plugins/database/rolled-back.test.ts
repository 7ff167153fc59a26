import assert from 'node:assert/strict'
import { test } from 'tap'
import { isRolledBack } from '../../../plugins/database/transaction.ts'

test('only errors from the database itself prove a rollback; a broken connection leaves it unknown', async () => {
  for (const code of ['23505', '40P01', '53100', 'P0001', 'XX000', '25006'])
    assert.equal(isRolledBack({ code }), true, code)
  for (const code of ['08006', '57P01', 'EPIPE', 'ECONNRESET', 'ETIMEDOUT', undefined])
    assert.equal(isRolledBack({ code }), false, code)
  assert.equal(isRolledBack(new Error('Query read timeout')), false)
})
