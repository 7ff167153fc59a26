import assert from 'node:assert/strict'
import { test, t } from 'tap'
import { dateIn } from '../../../modules/insights/time-zone.ts'
import { createPartner, send } from '../../credentials.ts'
import { startWorld } from '../linking/world.ts'

const world = await startWorld(t)
const cashflow = (query: string, key = world.partner.testKey) =>
  send(world.url, 'GET', `/v1/insights/cashflow?user_id=usr_1${query}`, { key })
const firstDay = async (query = ''): Promise<string> => (await cashflow(query)).body.daily[0].date

test('at 22:00 in New York on the last day of a month, tomorrow is the 1st', async () => {
  const at = new Date('2026-07-01T02:00:00Z')
  assert.equal(dateIn('America/New_York', at), '2026-06-30')
  assert.equal(dateIn('UTC', at), '2026-07-01')
  assert.equal(dateIn('Asia/Tokyo', new Date('2026-06-30T16:00:00Z')), '2026-07-01')
  await world.link('usr_1')
  await world.settle()
  world.clock.advance(at.getTime() - world.clock.now().getTime())
  assert.equal(await firstDay(), '2026-07-01')
})

test('the time zone that was sent last for an end-user is remembered, for that end-user only', async () => {
  assert.equal(await firstDay('&timezone=Europe/Berlin'), '2026-07-02')
  const remembered = await cashflow('')
  assert.deepEqual([remembered.body.timezone, remembered.body.daily[0].date], ['Europe/Berlin', '2026-07-02'])
  await world.link('usr_2')
  const other = await send(world.url, 'GET', '/v1/insights/cashflow?user_id=usr_2', { key: world.partner.testKey })
  assert.equal(other.body.timezone, 'America/New_York')
  assert.equal(await firstDay('&timezone=America/New_York'), '2026-07-01')
  assert.equal(await firstDay(), '2026-07-01')
})

test('a planned item or an error does not change the remembered time zone', async () => {
  const plan = await send(world.url, 'POST', '/v1/insights/cashflow', {
    key: world.partner.testKey,
    body: { user_id: 'usr_1', timezone: 'UTC', what_if: [{ amount: 5, date: '2026-07-02', description: 'Tea' }] }
  })
  assert.deepEqual([plan.status, plan.body.timezone, plan.body.daily[0].date], [200, 'UTC', '2026-07-02'])
  assert.equal((await cashflow('')).body.timezone, 'America/New_York')
})

test('only names of time zones are accepted', async () => {
  for (const zone of ['Mars/Olympus', '%2B05:00', '', 'America/New_York/..', 'GMT%2B25'])
    assert.deepEqual(
      [(await cashflow(`&timezone=${zone}`)).status, (await cashflow(`&timezone=${zone}`)).body.errors?.[0]?.path],
      [400, 'query/timezone'],
      zone
    )
})

test('a time zone of another partner is not used', async () => {
  const other = await createPartner(world.database)
  await cashflow('&timezone=Asia/Tokyo')
  const made = await send(world.url, 'POST', '/v1/sandbox/public_token', { key: other.testKey, body: {} })
  await send(world.url, 'POST', '/v1/accounts/link', {
    key: other.testKey,
    body: { public_token: made.body.public_token, user_id: 'usr_1' }
  })
  assert.equal((await cashflow('', other.testKey)).body.timezone, 'America/New_York')
})
