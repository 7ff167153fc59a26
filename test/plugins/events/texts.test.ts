import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import { transact } from '../../../plugins/database/transaction.ts'
import { textMessagesJob } from '../../../plugins/events/notifications/index.ts'
import { startApp, type Cleaner, type TestApp } from '../../build-app.ts'
import { createPartner } from '../../credentials.ts'

const numbers = { blocked: '+14155550100', reached: '+14155550199' }

/** A replacement for Twilio that withholds its responses for one number until they are released. */
const startTwilio = async (t: Cleaner) => {
  const sentTo: string[] = []
  const held: ServerResponse[] = []
  const respond = (response: ServerResponse, status: number): void => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify(status < 300 ? { sid: 'SM1', status: 'queued' } : { code: 20500, message: 'no', status })
    )
  }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const to = new URLSearchParams(body).get('To') ?? ''
      sentTo.push(to)
      if (to === numbers.blocked) held.push(response)
      else respond(response, 201)
      if (to === numbers.reached) reached()
    })
  })
  let reached = (): void => undefined
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sentTo,
    whenReached: (count: number) =>
      new Promise<void>((resolve) => {
        reached = () => {
          if (sentTo.filter((to) => to === numbers.reached).length >= count) resolve()
        }
      }),
    release: () => held.splice(0).forEach((response) => respond(response, 500))
  }
}

const createUser = async ({ database }: TestApp, phone: string): Promise<string> => {
  const { userId } = await createPartner(database)
  await database.db.updateTable('users').set({ phone }).where('id', '=', userId).execute()
  return userId
}

test('texts that cannot be delivered to one user delay only that user’s texts', async (t) => {
  const twilio = await startTwilio(t)
  const running = await startApp(t, {
    env: {
      TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
      TWILIO_AUTH_TOKEN: 'secret',
      TWILIO_FROM: '+15005550006',
      TWILIO_BASE_URL: twilio.url
    }
  })
  const { app, database, clock } = running
  const blocked = await createUser(running, numbers.blocked)
  const reached = await createUser(running, numbers.reached)
  const notify = async (userId: string, count: number): Promise<void> => {
    for (let n = 0; n < count; n++)
      await transact(database.db, (trx) =>
        app.notifications.notify(trx, { userId, type: 'test', message: `Message ${n}`, text: 'A text', data: {} })
      )
  }
  await notify(blocked, 30)
  await notify(reached, 3)
  const allReached = twilio.whenReached(3)
  const run = app.jobs.run(textMessagesJob)
  await allReached
  const count = (to: string) => twilio.sentTo.filter((one) => one === to).length
  assert.equal(count(numbers.blocked), 1, 'one at a time')
  twilio.release()
  await run
  assert.equal(count(numbers.blocked), 1, 'none right after a failure')

  const next = app.jobs.run(textMessagesJob)
  await next
  assert.equal(count(numbers.blocked), 1)
  clock.advance(10_000)
  const later = app.jobs.run(textMessagesJob)
  while (count(numbers.blocked) < 2) await new Promise(setImmediate)
  twilio.release()
  await later
  const states = await app.notifications.list(database.db, blocked, 50)
  assert.deepEqual([...new Set(states.map(({ smsStatus }) => smsStatus))], ['pending'], 'none is lost')
})
