import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { emailKeyOf } from '../../../plugins/email-address.ts'
import { rateLimits as specified } from '../../../spec/generated/index.ts'
import { startApp, type Cleaner } from '../../build-app.ts'
import { search } from '../../search.ts'
import { call, codeOf, deviceOf, password, register, signUp, type Reply } from './client.ts'

const attempt = async (
  url: string,
  email: string,
  { from = '127.0.0.1', tried = 'not the password', cookie }: { from?: string; tried?: string; cookie?: string } = {}
): Promise<Reply> =>
  await call(url, '/api/v1/auth/login', {
    method: 'POST',
    headers: { 'x-forwarded-for': from, ...(cookie === undefined ? {} : { cookie }) },
    body: { email, password: tried }
  })

/** A server behind a proxy, with rate limit windows that do not end during a test. */
const startLimited = async (t: Cleaner, limits: Partial<Record<'auth' | 'auth_address' | 'auth_account', number>>) => {
  const rateLimits = { ...specified }
  for (const [name, limit] of Object.entries(limits))
    Object.assign(rateLimits, { [name]: { limit, windowSeconds: 3600 } })
  return await startApp(t, { rateLimits, env: { ATLAS_TRUST_PROXY: 'true' } })
}

/** Sends requests one after the other. @returns their statuses */
const statusesOf = async (count: number, send: (index: number) => Promise<Reply>): Promise<number[]> => {
  const statuses = []
  for (let index = 0; index < count; index++) statuses.push((await send(index)).status)
  return statuses
}

test('passwords are checked outside any transaction, so that sign-ins do not delay other writes', async (t) => {
  const { url } = await startApp(t)
  const { jwt } = await register(url, 'ada@example.com')
  let signedIn = 0
  const signIns = Array.from({ length: 24 }, async (_, index) => {
    await attempt(url, `someone-${index}@example.com`)
    signedIn += 1
  })
  const written = await call(url, '/api/v1/users/me', { method: 'PATCH', bearer: jwt, body: { name: 'Ada' } })
  assert.equal(written.status, 200)
  assert.ok(signedIn <= 12, `${signedIn} of 24 sign-ins got a response before the write`)
  await Promise.all(signIns)
})

test('sign-ins beyond the queue get 503 with Retry-After at once, and the others are served', async (t) => {
  const { url } = await startApp(t)
  const replies = await Promise.all(Array.from({ length: 150 }, (_, index) => attempt(url, `u${index}@example.com`)))
  const refused = replies.filter(({ status }) => status === 503)
  assert.ok(refused.length > 0)
  for (const reply of refused) {
    assert.equal(codeOf(reply), 'overloaded')
    assert.equal(reply.headers.get('retry-after'), '2')
  }
  assert.ok(replies.length - refused.length >= 33)
  assert.ok(replies.every(({ status }) => status === 503 || status === 401))
})

test('a sign-in on a known device does not wait behind a flood of unknown devices', async (t) => {
  const { url } = await startApp(t)
  const cookie = deviceOf(await signUp(url, 'ada@example.com'))
  const flood = Array.from({ length: 100 }, (_, index) => attempt(url, `u${index}@example.com`))
  const mine = await attempt(url, 'ada@example.com', { tried: password, cookie })
  assert.equal(mine.status, 200)
  assert.ok((await Promise.all(flood)).some(({ status }) => status === 503))
})

test('one address has a limit of sign-ins over all accounts, and an IPv6 /64 counts as one address', async (t) => {
  const { url } = await startLimited(t, { auth_address: 3 })
  for (const [addresses, other] of [
    [['203.0.113.7'], '203.0.113.8'],
    [['2001:db8::1', '2001:db8::2', '2001:db8::ffff:3', '2001:db8::9:0:0:1'], '2001:db8:0:1::1']
  ] as const) {
    const from = (index: number) => addresses[index % addresses.length] ?? ''
    const statuses = await statusesOf(4, (index) => attempt(url, `u${index}@example.com`, { from: from(index) }))
    assert.deepEqual(statuses, [401, 401, 401, 429])
    assert.equal((await attempt(url, 'u9@example.com', { from: other })).status, 401)
  }
})

test('signing up does not reveal faster than signing in which addresses have accounts', async (t) => {
  const { url } = await startLimited(t, { auth_address: 3 })
  await register(url, 'ada@example.com')
  const probe = async (email: string) =>
    await call(url, '/api/v1/auth/register', { method: 'POST', body: { email, password } })
  assert.equal(codeOf(await probe('ada@example.com')), 'email_taken')
  assert.equal(codeOf(await probe('ADA@example.com')), 'email_taken')
  assert.equal(codeOf(await probe('eve@example.com')), 'rate_limited')
})

test('an account has one limit of sign-ins over all addresses and spellings, even if it does not exist', async (t) => {
  const { url } = await startLimited(t, { auth_account: 3 })
  const spellings = ['ada@example.com', ' ADA@Example.com', 'Ada@EXAMPLE.com ', 'ada@example.com']
  const statuses = await statusesOf(4, (index) => attempt(url, spellings[index] ?? '', { from: `203.0.113.${index}` }))
  assert.deepEqual(statuses, [401, 401, 401, 429])
  assert.equal((await attempt(url, 'eve@example.com', { from: '203.0.113.0' })).status, 401)
})

test('no one can lock out an owner: known devices and addresses have their own limits', async (t) => {
  const { url } = await startLimited(t, { auth_account: 3 })
  const device = deviceOf(await signUp(url, 'ada@example.com', { from: '192.0.2.1' }))
  const strange = deviceOf(await signUp(url, 'eve@example.com', { from: '192.0.2.2' }))
  const ofAda = async (from: string, cookie?: string) =>
    (await attempt(url, 'ada@example.com', { from, tried: password, ...(cookie === undefined ? {} : { cookie }) }))
      .status
  await statusesOf(10, (index) => attempt(url, 'ada@example.com', { from: `203.0.113.${index}` }))
  assert.equal(await ofAda('203.0.113.99'), 429, 'an unknown address')
  assert.equal(await ofAda('192.0.2.1'), 200, 'the address of a session')
  assert.equal(await ofAda('192.0.2.2'), 429, 'the address of another account’s session')
  assert.equal(await ofAda('203.0.113.98', device), 200, 'the device')
  assert.equal(await ofAda('203.0.113.99', strange), 429, 'the device of another account')
  for (const forged of [
    device.slice(0, -2),
    `${device.slice(0, -9)}AAAAAAAAA`,
    device.replace(/\d{13}/, '9999999999999'),
    'atlas_device='
  ])
    assert.equal(await ofAda('203.0.113.99', forged), 429, forged)
})

test('a known device has ten sign-ins a minute, and is forgotten after 180 days', async (t) => {
  const { url } = await startLimited(t, { auth: 10, auth_account: 1 })
  const cookie = deviceOf(await signUp(url, 'ada@example.com', { from: '192.0.2.1' }))
  const from = '203.0.113.1'
  const guesses = await statusesOf(11, () => attempt(url, 'ada@example.com', { from, cookie }))
  assert.deepEqual(guesses, [...Array<number>(10).fill(401), 429])
  assert.equal((await attempt(url, 'ada@example.com', { from })).status, 429)
  const other = await startLimited(t, { auth_account: 1 })
  const old = deviceOf(await signUp(other.url, 'ada@example.com', { from: '192.0.2.1' }))
  other.clock.advance(180 * 24 * 3_600_000 + 1)
  assert.equal((await attempt(other.url, 'ada@example.com', { from, tried: password, cookie: old })).status, 429)
})

test('the device cookie is httpOnly and strict, names no account, and survives signing out', async (t) => {
  const { url } = await startApp(t)
  const reply = await signUp(url, 'ada@example.com')
  const [refreshCookie = '', deviceCookie = ''] = reply.headers.getSetCookie()
  assert.match(
    deviceCookie,
    /^atlas_device=dev_\w+\.\d{13}\.[\w-]{43}; Max-Age=15552000; Path=\/api\/v1\/auth; HttpOnly; SameSite=Strict$/
  )
  const headers = { cookie: `${refreshCookie.split(';')[0]}; ${deviceOf(reply)}` }
  const out = await call(url, '/api/v1/auth/logout', { method: 'POST', headers })
  assert.equal(out.headers.getSetCookie().length, 1)
  const again = await attempt(url, 'ada@example.com', { tried: password, cookie: deviceOf(reply) })
  assert.equal(deviceOf(again).split('.')[0], deviceOf(reply).split('.')[0], 'it keeps its id')
})

test('addresses that differ only in capitals, spaces or composition are one account', async (t) => {
  const { url } = await startApp(t)
  await register(url, 'Zo\u00eb@Example.com')
  for (const email of ['zo\u00eb@example.com', 'ZOE\u0308@example.COM', ' zoe\u0308@example.com '])
    assert.equal((await attempt(url, email, { tried: password })).status, 200, email)
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => emailKeyOf(emailKeyOf(text)) === emailKeyOf(text)),
    search(500)
  )
})
