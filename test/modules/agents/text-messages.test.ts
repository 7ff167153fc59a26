import assert from 'node:assert/strict'
import { test } from 'tap'
import { textMessagesJob } from '../../../plugins/events/notifications/index.ts'
import { openTwilio } from '../../machines/twilio.ts'
import { openWorld } from './world.ts'

test('text messages about approval requests', async (t) => {
  const twilio = await openTwilio(t)
  const accountSid = twilio.env.TWILIO_ACCOUNT_SID
  const world = await openWorld(t, { env: twilio.env })
  const key = await world.fund('texter', 100)
  const requestApproval = () =>
    world.as(key, 'POST', '/api/spend', { amount: 12.5, require_approval: true, item_name: 'A lamp' })
  const states = async (): Promise<string[]> =>
    (await world.asOwner('GET', '/api/v1/notifications')).body.items.map((item: { sms: string }) => item.sms)
  const setPhone = async (phone: string | null) =>
    void (await world.database.db.updateTable('users').set({ phone }).where('id', '=', world.owner.userId).execute())

  await t.test('an owner without a verified phone number gets only list notifications', async () => {
    await world.asOwner('PUT', '/api/v1/users/me/preferences', { phone: '+14155550123' })
    await world.asOwner('POST', '/api/v1/users/me/phone', { phone: '+14155550123' })
    twilio.received.length = 0
    await requestApproval()
    await world.app.jobs.run(textMessagesJob)
    assert.deepEqual([twilio.received.length, await states()], [0, ['none']])
  })

  await t.test('an owner with a verified number gets one text message through Twilio’s API', async () => {
    await setPhone('+14155550123')
    await requestApproval()
    await world.app.jobs.run(textMessagesJob)
    await world.app.jobs.run(textMessagesJob)
    assert.deepEqual(twilio.received, [
      {
        path: `/2010-04-01/Accounts/${accountSid}/Messages.json`,
        authorization: `Basic ${Buffer.from(`${accountSid}:secret`).toString('base64')}`,
        form: {
          To: '+14155550123',
          From: '+15005550006',
          Body: 'An agent asks you to approve a spend (request 2). Sign in to AtlasForge to decide.'
        }
      }
    ])
    assert.deepEqual(await states(), ['sent', 'none'])
  })

  await t.test('a text that Twilio rejects is retried later, and given up after five attempts', async () => {
    twilio.received.length = 0
    twilio.statuses.push(500, 500, 503)
    await requestApproval()
    for (const waitMs of [10_000, 60_000, 600_000]) {
      await world.app.jobs.run(textMessagesJob)
      assert.equal((await states())[0], 'pending')
      world.clock.advance(waitMs - 1)
      await world.app.jobs.run(textMessagesJob)
      world.clock.advance(1)
    }
    await world.app.jobs.run(textMessagesJob)
    assert.deepEqual([twilio.received.length, (await states())[0]], [4, 'sent'])
    twilio.statuses.push(500, 500, 500, 500, 500)
    await requestApproval()
    for (let attempt = 1; attempt <= 6; attempt++) {
      await world.app.jobs.run(textMessagesJob)
      world.clock.advance(3_600_000)
    }
    assert.deepEqual([twilio.received.length, (await states())[0]], [9, 'failed'])
  })

  await t.test('a removed number gets no text, not even a queued one', async () => {
    twilio.received.length = 0
    await requestApproval()
    await setPhone(null)
    await world.app.jobs.run(textMessagesJob)
    assert.deepEqual([twilio.received.length, (await states())[0]], [0, 'none'])
  })
})

test('an owner gets at most 20 texts a day, without any text written by an agent', async (t) => {
  const twilio = await openTwilio(t)
  const world = await openWorld(t, { env: twilio.env })
  await world.database.db
    .updateTable('users')
    .set({ phone: '+14155550123' })
    .where('id', '=', world.owner.userId)
    .execute()
  const lure = 'Your account is locked, call +1 900 555 0100'
  const requestApproval = async (agent: string, count: number) => {
    const key = await world.fund(agent, 100)
    for (let index = 0; index < count; index++) {
      const body = { amount: 1, require_approval: true, item_name: lure, description: lure }
      assert.equal((await world.as(key, 'POST', '/api/spend', body)).status, 200)
    }
  }
  const sendAll = async () => {
    for (let run = 0; run < 5; run++) await world.app.jobs.run(textMessagesJob)
  }
  await requestApproval('first', 15)
  await requestApproval('second', 15)
  await sendAll()
  assert.equal(twilio.received.length, 20)
  for (const { form } of twilio.received) assert.doesNotMatch(form.Body ?? '', /locked|900|first|second/)
  world.clock.advance(6 * 3_600_000)
  await requestApproval('third', 1)
  await sendAll()
  assert.equal(twilio.received.length, 21, 'the next day')
})
