import assert from 'node:assert/strict'
import { test } from 'tap'
import { readRetryAfter } from '../../../modules/webhooks/retry-after.ts'
import { giveUpAfterMs, nextAttemptAt } from '../../../modules/webhooks/retry-schedule.ts'
import { startApp } from '../../build-app.ts'
import { createApi, createPartner, hookFor, publish, respond, startReceiver } from './setup.ts'

const now = new Date('2026-06-14T18:00:00.000Z')
const secondMs = 1_000
const hourMs = 3_600_000

test('Retry-After is accepted in seconds and as an HTTP date, up to one hour', async () => {
  const cases: [string | undefined, number | undefined][] = [
    ['1', secondMs],
    [' 120 ', 120 * secondMs],
    ['3600', hourMs],
    ['3601', hourMs],
    ['9'.repeat(400), hourMs],
    ['Sun, 14 Jun 2026 18:02:00 GMT', 120 * secondMs],
    ['Sunday, 14-Jun-26 18:02:00 GMT', 120 * secondMs],
    ['Sun Jun 14 18:02:00 2026', 120 * secondMs],
    ['Sun, 14 Jun 2099 18:02:00 GMT', hourMs],
    ['Sun, 14 Jun 2026 17:59:59 GMT', undefined],
    ['0', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['2026-06-14T18:02:00Z', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined]
  ]
  for (const [value, expected] of cases) assert.equal(readRetryAfter(value, now), expected, value)
})

test('Retry-After never skips the last attempt within 24 hours', async () => {
  const firstTriedAt = new Date(now.getTime() - giveUpAfterMs + 2 * secondMs)
  const next = nextAttemptAt({ tries: 1, firstTriedAt, retryAfterMs: hourMs }, now)
  assert.deepEqual(next, new Date(now.getTime() + 2 * secondMs))
  assert.equal(nextAttemptAt({ tries: 6, firstTriedAt, retryAfterMs: hourMs }, now), undefined)
})

test('a receiver’s Retry-After delays the next attempt, and never brings it forward', async (t) => {
  const running = await startApp(t)
  const { partnerId, key } = await createPartner(running.database.db)
  const api = createApi(running.url, key)
  const receiver = await startReceiver(t)
  const hook = await hookFor(api, receiver.url)
  const next = async () => {
    const { body } = await api('GET', `/v1/webhooks/${hook.id}/deliveries`)
    return Date.parse(String(body.items[0]?.next_attempt_at)) - running.clock.now().getTime()
  }
  const turn = async (ms: number): Promise<void> => {
    running.clock.advance(ms)
    await running.app.outbox.settle()
  }

  receiver.behave(respond(503, '', { 'retry-after': '90' }))
  await publish(running, partnerId, ['task.created'])
  await turn(0)
  assert.equal(await next(), 90 * secondMs)
  await turn(90 * secondMs - 1)
  assert.equal(receiver.received.length, 1)

  receiver.behave(respond(429, '', { 'retry-after': 'Sun, 14 Jun 2026 18:10:00 GMT' }))
  await turn(1)
  assert.equal(await next(), Date.parse('2026-06-14T18:10:00Z') - running.clock.now().getTime())

  receiver.behave(respond(500, '', { 'retry-after': '1' }))
  await turn(await next())
  assert.equal(await next(), 25 * secondMs, 'the schedule has a longer delay')

  receiver.behave(respond(500, '', { 'retry-after': '86400' }))
  await turn(await next())
  assert.equal(await next(), hourMs)
  assert.equal(receiver.received.length, 4)
})
