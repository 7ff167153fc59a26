import assert from 'node:assert/strict'
import { test } from 'tap'
import { rateLimits } from '../../../spec/generated/index.ts'
import { startApp } from '../../build-app.ts'
import { openMailServer } from '../../machines/mail-server.ts'
import { openTwilio } from '../../machines/twilio.ts'
import { call, codeOf, fieldsOf, login, register } from './client.ts'

const me = '/api/v1/users/me'
const phone = '+14155550123'

const clientOf = (url: string, jwt: string) => ({
  profile: async () => (await call(url, me, { bearer: jwt })).body,
  sendEmailCode: () => call(url, `${me}/email/code`, { method: 'POST', bearer: jwt }),
  verifyEmail: (code: string) => call(url, `${me}/email/verify`, { method: 'POST', bearer: jwt, body: { code } }),
  setPhone: (number = phone) => call(url, `${me}/phone`, { method: 'POST', bearer: jwt, body: { phone: number } }),
  verifyPhone: (code: string) => call(url, `${me}/phone/verify`, { method: 'POST', bearer: jwt, body: { code } }),
  removePhone: () => call(url, `${me}/phone`, { method: 'DELETE', bearer: jwt }),
  notifications: async () =>
    (await call(url, '/api/v1/notifications', { bearer: jwt })).body.items as Record<string, unknown>[]
})

/** The code in a message. */
const codeIn = (text = ''): string => /code is (\d{6})/.exec(text.replace(/=\r\n/g, ''))?.[1] ?? ''

const wrong = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://unused@localhost/unused',
  ATLAS_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  ATLAS_JWT_SECRET: 'a secret of the tests that is long enough',
  HOST: '127.0.0.1',
  LOG_LEVEL: 'silent'
}

test('a mailed code verifies an address once, and the database has only its keyed hash', async (t) => {
  const mail = await openMailServer(t)
  const { url, database } = await startApp(t, { env: mail.env })
  const user = clientOf(url, (await register(url, 'Ada@example.com')).jwt)
  assert.equal((await user.profile()).email_verified, false)
  const sent = await user.sendEmailCode()
  assert.equal(sent.status, 202)
  assert.deepEqual(sent.body, { sent_to: 'Ada@example.com', expires_at: '2026-06-14T18:30:00.000Z' })
  const [{ from, to, source } = { from: '', to: [], source: '' }] = mail.received
  assert.deepEqual([from, to], ['no-reply@example.com', ['Ada@example.com']])
  assert.match(source, /Subject: Your AtlasForge code/)
  const code = codeIn(source)
  assert.match(code, /^\d{6}$/)
  const [stored] = await database.db.selectFrom('verification_codes').selectAll().execute()
  assert.equal(Buffer.from(stored?.code_hash ?? '').length, 32)
  assert.ok(!JSON.stringify(stored).includes(code))
  assert.deepEqual(await user.notifications(), [], 'a sent mail is not shown in the list')
  assert.equal(codeOf(await user.verifyEmail(wrong(code))), 'invalid_code')
  const verified = await user.verifyEmail(code)
  assert.deepEqual([verified.status, verified.body.email_verified], [200, true])
  assert.equal(codeOf(await user.verifyEmail(code)), 'invalid_code')
  assert.equal(codeOf(await user.sendEmailCode()), 'email_already_verified')
})

test('a code is invalid after 30 minutes, after five wrong attempts, and after a newer code', async (t) => {
  const mail = await openMailServer(t)
  const { url, clock } = await startApp(t, { env: mail.env })
  await register(url, 'ada@example.com')
  await register(url, 'eve@example.com')
  let user = clientOf(url, (await login(url, 'ada@example.com')).jwt)
  const send = async () => {
    assert.equal((await user.sendEmailCode()).status, 202)
    return codeIn(mail.received.at(-1)?.source)
  }
  const expired = await send()
  clock.advance(30 * 60_000)
  user = clientOf(url, (await login(url, 'ada@example.com')).jwt)
  const other = clientOf(url, (await login(url, 'eve@example.com')).jwt)
  assert.equal(codeOf(await user.verifyEmail(expired)), 'invalid_code')
  const guessed = await send()
  for (let attempt = 0; attempt < 5; attempt++)
    assert.equal(codeOf(await user.verifyEmail(wrong(guessed))), 'invalid_code')
  assert.equal(codeOf(await user.verifyEmail(guessed)), 'invalid_code')
  const replaced = await send()
  const last = await send()
  if (replaced !== last) assert.equal(codeOf(await user.verifyEmail(replaced)), 'invalid_code')
  assert.equal(codeOf(await other.verifyEmail(last)), 'invalid_code', 'the code of another user')
  assert.deepEqual(fieldsOf(await user.verifyEmail('12345')), ['body/code'])
  assert.equal((await user.verifyEmail(last)).status, 200)
})

test('a user can try at most ten codes a minute, and request at most ten a day', async (t) => {
  const mail = await openMailServer(t)
  const limited = await startApp(t, { env: mail.env, rateLimits })
  const guesser = clientOf(limited.url, (await register(limited.url, 'ada@example.com')).jwt)
  const guesses = []
  for (let attempt = 0; attempt < 11; attempt++) guesses.push((await guesser.verifyEmail('000000')).status)
  assert.deepEqual(guesses, [...Array<number>(10).fill(400), 429])
  const { url, clock } = await startApp(t, { env: mail.env })
  const user = clientOf(url, (await register(url, 'ada@example.com')).jwt)
  for (let count = 0; count < 10; count++) assert.equal((await user.sendEmailCode()).status, 202)
  const refused = await user.sendEmailCode()
  assert.deepEqual([codeOf(refused), refused.headers.get('retry-after')], ['rate_limited', String(6 * 3600)])
  assert.equal(mail.received.length, 10)
  clock.advance(6 * 3_600_000)
  const tomorrow = clientOf(url, (await register(url, 'eve@example.com')).jwt)
  assert.equal((await tomorrow.sendEmailCode()).status, 202)
})

test('a rejected mail gets 502 and leaves no code, and no address names two recipients', async (t) => {
  const mail = await openMailServer(t)
  const { url, database } = await startApp(t, { env: mail.env })
  const user = clientOf(url, (await register(url, 'victim,ada@example.com')).jwt)
  mail.refusals.push('no such mailbox')
  assert.equal(codeOf(await user.sendEmailCode()), 'upstream_unavailable')
  assert.deepEqual(await database.db.selectFrom('verification_codes').selectAll().execute(), [])
  await user.sendEmailCode()
  assert.ok(
    mail.received.every(({ to }) => to.length === 1),
    JSON.stringify(mail.received.map(({ to }) => to))
  )
})

test('without services, development shows messages in log and list, and production sends none', async (t) => {
  const lines: string[] = []
  const { url } = await startApp(t, {
    env: { LOG_LEVEL: 'warn' },
    logStream: { write: (line) => void lines.push(line) }
  })
  const user = clientOf(url, (await register(url, 'ada@example.com')).jwt)
  await user.sendEmailCode()
  await user.setPhone()
  const shown = await user.notifications()
  assert.deepEqual(
    shown.map(({ type, sms }) => [type, sms]),
    [
      ['text.shown', 'none'],
      ['mail.shown', 'none']
    ]
  )
  for (const { message } of shown) assert.ok(lines.some((line) => line.includes(codeIn(String(message)))))
  assert.equal((await user.verifyEmail(codeIn(String(shown[1]?.message)))).status, 200)
  assert.equal((await user.verifyPhone(codeIn(String(shown[0]?.message)))).body.phone, phone)
  const live = await startApp(t, { env: production })
  const owner = clientOf(live.url, (await register(live.url, 'ada@example.com')).jwt)
  assert.equal(codeOf(await owner.sendEmailCode()), 'mail_not_configured')
  assert.equal(codeOf(await owner.setPhone()), 'texts_not_configured')
  assert.deepEqual(await owner.notifications(), [])
})

test('a phone number belongs to the user only after verification, and can be removed', async (t) => {
  const twilio = await openTwilio(t)
  const { url } = await startApp(t, { env: twilio.env })
  const user = clientOf(url, (await register(url, 'ada@example.com')).jwt)
  assert.deepEqual(fieldsOf(await user.setPhone('4155550123')), ['body/phone'])
  const sent = await user.setPhone()
  assert.deepEqual(sent.body, { sent_to: phone, expires_at: '2026-06-14T18:10:00.000Z' })
  assert.equal((await user.profile()).phone, null)
  const [{ form } = { form: {} as Record<string, string> }] = twilio.received
  assert.equal(form.To, phone)
  assert.equal(
    codeOf(await user.verifyEmail(codeIn(form.Body))),
    'invalid_code',
    'a code for a phone does not verify an address'
  )
  assert.equal((await user.verifyPhone(codeIn(form.Body))).body.phone, phone)
  await user.setPhone('+14155550199')
  assert.equal((await user.profile()).phone, phone, 'until the new number is verified')
  assert.equal((await user.removePhone()).status, 204)
  assert.equal((await user.profile()).phone, null)
  assert.equal(codeOf(await user.verifyPhone(codeIn(twilio.received[1]?.form.Body))), 'invalid_code')
})

test('a phone number gets at most five codes a day, from all users together', async (t) => {
  const twilio = await openTwilio(t)
  const { url } = await startApp(t, { env: twilio.env })
  const users = []
  for (const name of ['ada', 'eve', 'bob']) users.push(clientOf(url, (await register(url, `${name}@example.com`)).jwt))
  const statuses = []
  for (let round = 0; round < 3; round++) for (const user of users) statuses.push((await user.setPhone()).status)
  assert.deepEqual(statuses, [...Array<number>(5).fill(202), ...Array<number>(4).fill(429)])
  assert.equal(twilio.received.length, 5)
})
