import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { startApp } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'
import { createPartnerOfBoth } from '../../environments.ts'

const secret = 'an-ingest-secret-of-a-test'
const server = await startApp(t, { env: { ATLAS_INGEST_SECRET: secret } })
const { url, database } = server

const ingest = async (partnerId: string, events: Record<string, unknown>[]) => {
  const { status, body, text } = await send(url, 'POST', '/api/ingest/events/batch', {
    body: { events: events.map((event) => ({ partner_id: partnerId, event_type: 'transaction', ...event })) },
    headers: { 'x-atlas-ingest-secret': secret }
  })
  assert.equal(status, 200, text)
  return body
}

const usageOf = async (key: string, query = '') => {
  const { status, body, text } = await send(url, 'GET', `/v1/usage${query}`, { key })
  assert.equal(status, 200, text)
  return body
}

test('an event without an environment is live for a partner in production, and test for any other', async () => {
  const [inProduction, other] = [await createPartnerOfBoth(server), await createPartner(database)]
  await ingest(inProduction.partnerId, [{ amount_cents: 1 }])
  await ingest(other.partnerId, [{ amount_cents: 2 }])
  assert.equal((await usageOf(inProduction.keys.live)).totals.volume_cents, 1)
  assert.equal((await usageOf(inProduction.keys.test)).totals.transactions, 0)
  assert.equal((await usageOf(other.testKey)).totals.volume_cents, 2)
})

test('an event id counts once in each environment, and every breakdown separates the environments', async () => {
  const { partnerId, keys } = await createPartnerOfBoth(server)
  const purchase = { amount_cents: 100, event_id: 'e-1', category: 'rent', user_id: 'usr_1' }
  const link = { event_type: 'account_link', institution: 'chase', user_id: 'usr_1' }
  const events = [
    { ...purchase, environment: 'test' },
    { ...purchase, environment: 'live', category: 'dining' },
    { ...link, environment: 'live' }
  ]
  assert.equal((await ingest(partnerId, events)).accepted, 3)
  const again = await ingest(partnerId, events.slice(0, 2))
  assert.deepEqual([again.accepted, again.duplicates], [0, 2])
  const [test, live] = [await usageOf(keys.test), await usageOf(keys.live)]
  assert.deepEqual([test.totals.transactions, live.totals.transactions], [1, 1])
  assert.deepEqual(test.by_category, [{ category: 'rent', transactions: 1, volume_cents: 100 }])
  assert.deepEqual(live.by_category, [{ category: 'dining', transactions: 1, volume_cents: 100 }])
  assert.deepEqual([test.by_institution, live.by_institution], [[], [{ institution: 'chase', account_links: 1 }]])
})

test('for a signed-in user, an end-user active in both environments counts as one active user', async () => {
  const { partnerId, session, keys } = await createPartnerOfBoth(server)
  await ingest(partnerId, [
    { environment: 'test', user_id: 'usr_1' },
    { environment: 'live', user_id: 'usr_1' },
    { environment: 'live', user_id: 'usr_2' }
  ])
  for (const interval of ['day', 'hour']) {
    const both = await usageOf(session, `?interval=${interval}`)
    const active = both.intervals.filter(({ active_users }: { active_users: number }) => active_users > 0)
    assert.deepEqual([active.length, active[0].active_users, active[0].transactions], [1, 2, 3])
    assert.deepEqual([both.totals.active_users, both.totals.transactions], [2, 3])
  }
  assert.equal((await usageOf(session, '?environment=live')).totals.active_users, 2)
  assert.equal((await usageOf(keys.test)).totals.active_users, 1)
})
