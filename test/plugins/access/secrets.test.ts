import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import { createCursors } from '../../../plugins/paging/cursors.ts'
import { createSecrets, sameSecret } from '../../../plugins/access/secrets.ts'

test('encrypted text can be decrypted, even after a rotation of the key', async () => {
  const [old, fresh] = [randomBytes(32), randomBytes(32)]
  fc.assert(
    fc.property(fc.string(), fc.string(), (plaintext, context) => {
      const stored = createSecrets([old]).encrypt(plaintext, context)
      assert.equal(createSecrets([fresh, old]).decrypt(stored, context), plaintext)
      assert.throws(() => createSecrets([fresh]).decrypt(stored, context), /ATLAS_ENCRYPTION_KEYS_OLD/)
    })
  )
})

test('a ciphertext that was changed, or moved to another row, is rejected', async () => {
  const secrets = createSecrets([randomBytes(32)])
  const stored = secrets.encrypt('access-token', 'items:1')
  assert.throws(() => secrets.decrypt(stored, 'items:2'))
  for (let index = 0; index < stored.length; index++) {
    const changed = Buffer.from(stored)
    changed[index]! ^= 1
    assert.throws(() => secrets.decrypt(changed, 'items:1'))
  }
})

test('secrets of different lengths compare as different without an error', async () => {
  assert.equal(sameSecret('abc', 'abc'), true)
  assert.equal(sameSecret('abc', 'abcd'), false)
})

test('a cursor is accepted only unchanged and only by the list that issued it', async () => {
  const keys = [randomBytes(32)]
  const cursors = createCursors(keys)
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.integer())), fc.string(), (position, garbage) => {
      const cursor = cursors.encode('items', position)
      assert.deepEqual(cursors.decode('items', cursor), position)
      assert.deepEqual(createCursors([randomBytes(32), ...keys]).decode('items', cursor), position)
      for (const wrong of [garbage, `${cursor}A`, `A${cursor}`])
        assert.throws(() => cursors.decode('items', wrong), /invalid_cursor/)
      assert.throws(() => cursors.decode('transfers', cursor), /invalid_cursor/)
    })
  )
})
