import assert from 'node:assert/strict'
import { hash } from '@node-rs/argon2'
import { test } from 'tap'
import { startApp } from '../../build-app.ts'
import { call, codeOf, fieldsOf, mintKey, mintToken, password, register } from './client.ts'

const weak = {
  'most common ones': ['123456789012', 'PasswordPassword', '1q2w3e4r5t6y', '1QAZ2WSX3EDC', 'letmeinletmein'],
  'the same once normalised': ['１２３４５６７８９０１２', 'ｐａｓｓｗｏｒｄ１２３４'],
  'one repeated character': ['aaaaaaaaaaaa', 'aAaAaAaAaAaA', 'x'.repeat(1024), '😀'.repeat(12), ' '.repeat(12)],
  'shorter once normalised': ['e\u0301'.repeat(6)],
  'the email address': ['Ada.Lovelace@example.com']
}

test('a new password must not be common, one repeated character, the address, or short once normalised', async (t) => {
  const { url } = await startApp(t)
  const { jwt } = await register(url, 'ada.lovelace@example.com')
  for (const [kind, passwords] of Object.entries(weak)) {
    for (const tried of passwords) {
      const body = { email: 'ada.lovelace@example.com', password: tried }
      const signUp = await call(url, '/api/v1/auth/register', { method: 'POST', body })
      assert.deepEqual([signUp.status, fieldsOf(signUp)], [400, ['body/password']], `${kind}: ${tried}`)
      const change = await call(url, '/api/v1/users/me/password', {
        method: 'PUT',
        bearer: jwt,
        body: { current_password: password, new_password: tried }
      })
      assert.deepEqual([change.status, fieldsOf(change)], [400, ['body/new_password']], `${kind}: ${tried}`)
    }
  }
})

test('passwords are compared after NFKC, and passwords older than the rules still work', async (t) => {
  const { url, database } = await startApp(t)
  const { userId, email } = await register(url, 'ada@example.com')
  const signIn = async (tried: string) =>
    (await call(url, '/api/v1/auth/login', { method: 'POST', body: { email, password: tried } })).status
  const store = async (chosen: string) => {
    const password_hash = await hash(chosen)
    await database.db.updateTable('users').set({ password_hash }).where('id', '=', userId).execute()
  }
  await store('secret')
  assert.equal(await signIn('secret'), 200)
  await store('caf\u00e9 au lait, s\u2019il vous pla\u00eet')
  assert.equal(await signIn('cafe\u0301 au lait, s\u2019il vous plai\u0302t'), 200)
})

test('a password change revokes the tokens of the user when asked, and no one else’s', async (t) => {
  const { url } = await startApp(t)
  const [ada, eve] = [await register(url, 'ada@example.com'), await register(url, 'eve@example.com')]
  const [mine, theirs] = [await mintToken(url, ada.jwt), await mintToken(url, eve.jwt)]
  const { key } = await mintKey(url, ada.jwt)
  const change = async (current: string, next: string, more = {}) => {
    const body = { current_password: current, new_password: next, ...more }
    assert.equal((await call(url, '/api/v1/users/me/password', { method: 'PUT', bearer: ada.jwt, body })).status, 204)
  }
  const statuses = async () =>
    await Promise.all(
      [mine.token, theirs.token, key].map(async (bearer) => (await call(url, '/v1/activity', { bearer })).status)
    )
  await change(password, 'an even better horse')
  assert.deepEqual(await statuses(), [200, 200, 200])
  await change('an even better horse', password, { revoke_tokens: true })
  assert.deepEqual(await statuses(), [401, 200, 200])
  assert.equal(codeOf(await call(url, '/v1/activity', { bearer: mine.token })), 'unauthorized')
})
