import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import { textMessagesJob } from '../../../plugins/events/notifications/index.ts'
import type { Cleaner } from '../../build-app.ts'
import { openWorld } from './world.ts'

interface Received {
  path: string
  authorization: string
  form: Record<string, string>
}

/** A server that takes messages as Twilio's API does; `answers` are the statuses of the next ones, then 201. */
const openTwilio = async (t: Cleaner) => {
  const received: Received[] = []
  const answers: number[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      received.push({
        path: request.url ?? '',
        authorization: request.headers.authorization ?? '',
        form: Object.fromEntries(new URLSearchParams(body))
      })
      const status = answers.shift() ?? 201
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify(status < 300 ? { sid: 'SM1', status: 'queued' } : { code: 20500, message: 'no', status })
      )
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.teardown(() => void server.close())
  return { received, answers, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('text messages about approval requests', async (t) => {
  const twilio = await openTwilio(t)
  const accountSid = `AC${'0'.repeat(32)}`
  const env = {
    TWILIO_ACCOUNT_SID: accountSid,
    TWILIO_AUTH_TOKEN: 'secret',
    TWILIO_FROM: '+15005550006',
    TWILIO_BASE_URL: twilio.url
  }
  const world = await openWorld(t, { env })
  const key = await world.fund('texter', 100)
  const ask = () => world.as(key, 'POST', '/api/spend', { amount: 12.5, require_approval: true, item_name: 'A lamp' })
  const states = async (): Promise<string[]> =>
    (await world.asOwner('GET', '/api/v1/notifications')).body.items.map((item: { sms: string }) => item.sms)
  const setPhone = async (phone: string) =>
    void (await world.database.db
      .updateTable('users')
      .set({ preferences: JSON.stringify({ phone }) })
      .where('id', '=', world.owner.userId)
      .execute())

  await t.test('an owner without a usable phone number gets only list notifications', async () => {
    await setPhone('call me')
    await ask()
    await world.app.jobs.run(textMessagesJob)
    assert.deepEqual([twilio.received.length, await states()], [0, ['none']])
  })

  await t.test('an owner with one gets a text message, once, on Twilio’s own wire', async () => {
    await setPhone('+14155550123')
    await ask()
    await world.app.jobs.run(textMessagesJob)
    await world.app.jobs.run(textMessagesJob)
    assert.deepEqual(twilio.received, [
      {
        path: `/2010-04-01/Accounts/${accountSid}/Messages.json`,
        authorization: `Basic ${Buffer.from(`${accountSid}:secret`).toString('base64')}`,
        form: { To: '+14155550123', From: '+15005550006', Body: 'texter asks to spend 12.5 credits: A lamp' }
      }
    ])
    assert.deepEqual(await states(), ['sent', 'none'])
  })

  await t.test('what Twilio does not take is tried again later, and given up after five times', async () => {
    twilio.received.length = 0
    twilio.answers.push(500, 500, 503)
    await ask()
    for (const waitMs of [10_000, 60_000, 600_000]) {
      await world.app.jobs.run(textMessagesJob)
      assert.equal((await states())[0], 'pending')
      world.clock.advance(waitMs - 1)
      await world.app.jobs.run(textMessagesJob)
      world.clock.advance(1)
    }
    await world.app.jobs.run(textMessagesJob)
    assert.deepEqual([twilio.received.length, (await states())[0]], [4, 'sent'])
    twilio.answers.push(500, 500, 500, 500, 500)
    await ask()
    for (let attempt = 1; attempt <= 6; attempt++) {
      await world.app.jobs.run(textMessagesJob)
      world.clock.advance(3_600_000)
    }
    assert.deepEqual([twilio.received.length, (await states())[0]], [9, 'failed'])
  })
})
