import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'tap'
import { deliverToEndpoint } from '../../../modules/webhooks/delivery.ts'
import { publishEvents } from '../../../modules/webhooks/events.ts'
import { leaseEndpoints, type LeasedEndpoint, type Slots } from '../../../modules/webhooks/queries/leases.ts'
import { createOutbound } from '../../../plugins/outbound/index.ts'
import { startApp, type Cleaner, type TestApp } from '../../build-app.ts'
import { createApi, createPartner, hookFor, publish, respond, startReceiver, type Behaviour } from './setup.ts'

const startTenant = async (running: TestApp) => {
  const { partnerId, key } = await createPartner(running.database.db)
  return { partnerId, api: createApi(running.url, key) }
}

/** Keeps every request open until it is released. */
const createSilence = () => {
  const held: ServerResponse[] = []
  let open = 0
  let most = 0
  const behaviour: Behaviour = (_request, response) => {
    most = Math.max(most, ++open)
    response.on('close', () => open--)
    held.push(response)
  }
  return {
    behaviour,
    held,
    most: () => most,
    release: () => held.splice(0).forEach((response) => response.writeHead(503).end())
  }
}

test('40 unresponsive endpoints of one partner do not delay deliveries of another', async (t) => {
  const running = await startApp(t)
  const hostile = await startTenant(running)
  const other = await startTenant(running)
  const silence = createSilence()
  const silent = await startReceiver(t, silence.behaviour)
  for (let n = 0; n < 40; n++) await hookFor(hostile.api, `${silent.url}/${n}`)
  const quick = await startReceiver(t)
  await hookFor(other.api, quick.url)

  await publish(running, hostile.partnerId, ['task.created', 'task.updated'])
  while (silence.held.length < 4) await new Promise(setImmediate)
  const arrived = new Promise<void>((resolve) =>
    quick.behave((request, response, one) => {
      respond(200)(request, response, one)
      if (quick.received.length === 20) resolve()
    })
  )
  await publish(running, other.partnerId, Array<string>(20).fill('task.created'))
  await arrived
  // Four for endpoints that have not failed yet, and four for those that have.
  assert.ok(silence.most() <= 8, `${silence.most()} requests to the silent endpoints at a time`)
  silent.behave(respond(200))
  silence.release()
})

test('an endpoint releases its slot at the first failure', async (t) => {
  const running = await startApp(t)
  const { app, database } = running
  const { partnerId, api } = await startTenant(running)
  const receiver = await startReceiver(t)
  const { id } = await hookFor(api, receiver.url)
  await database.db
    .updateTable('webhooks')
    .set({ lease: 'lease_of_this_test', leased_until: new Date('2999-01-01T00:00:00Z') })
    .execute()
  await publish(running, partnerId, Array<string>(4).fill('task.created'))
  await publishEvents(app)
  const outbound = createOutbound({ allowPrivate: true, connectTimeoutMs: 10_000 })
  t.teardown(() => outbound.destroy())
  receiver.behave((request, response, one) =>
    respond(receiver.received.length === 2 ? 500 : 200)(request, response, one)
  )
  await deliverToEndpoint(app, outbound, { webhookId: id, lease: 'lease_of_this_test' }, () => false)
  assert.equal(receiver.received.length, 2)
  const { lease, responsive } = await database.db
    .selectFrom('webhooks')
    .select(['lease', 'responsive'])
    .executeTakeFirstOrThrow()
  assert.deepEqual([lease, responsive], [null, false])
  await app.outbox.settle()
  assert.equal(receiver.received.length, 4)
  const recovered = await database.db.selectFrom('webhooks').select('responsive').executeTakeFirstOrThrow()
  assert.equal(recovered.responsive, true)
})

/** A server that delivers nothing itself, with endpoints that have due deliveries; named by partner and number. */
const startWaiting = async (t: Cleaner, endpoints: Record<string, { responsive: number; unresponsive: number }>) => {
  const running = await startApp(t)
  const { app, database, clock } = running
  const never = new Date('2999-01-01T00:00:00Z')
  const names = new Map<string, string>()
  for (const [name, { responsive, unresponsive }] of Object.entries(endpoints)) {
    const { partnerId, api } = await startTenant(running)
    names.set(partnerId, name)
    for (let n = 0; n < responsive + unresponsive; n++) {
      const { id } = await hookFor(api, `https://hooks.example.com/${n}`)
      const set = { responsive: n < responsive, lease: 'lease_of_this_test', leased_until: never }
      await database.db.updateTable('webhooks').set(set).where('id', '=', id).execute()
    }
    await publish(running, partnerId, ['task.created'])
  }
  await publishEvents(app)
  await app.close()
  return {
    async lease(slots: Slots): Promise<LeasedEndpoint[]> {
      await database.db.updateTable('webhooks').set({ leased_until: null }).execute()
      return await leaseEndpoints(database.db, { lease: 'a lease', leaseMs: 60_000, slots, now: clock.now() })
    },
    leaseAgain: (slots: Slots) =>
      leaseEndpoints(database.db, { lease: 'another lease', leaseMs: 60_000, slots, now: clock.now() }),
    /** How many endpoints of each partner and kind, such as `{ 'a responsive': 2 }`. */
    count(leased: LeasedEndpoint[]): Record<string, number> {
      const counts: Record<string, number> = {}
      for (const { partnerId, isResponsive } of leased) {
        const name = `${names.get(partnerId)} ${isResponsive ? 'responsive' : 'unresponsive'}`
        counts[name] = (counts[name] ?? 0) + 1
      }
      return counts
    }
  }
}

test('slots go to the partners that have the fewest, and unresponsive endpoints take none of the others', async (t) => {
  const waiting = await startWaiting(t, {
    a: { responsive: 6, unresponsive: 6 },
    b: { responsive: 2, unresponsive: 0 },
    c: { responsive: 1, unresponsive: 1 }
  })
  const slots = { freeResponsive: 64, freeUnresponsive: 64, perPartner: 4, taken: [] }
  const all = await waiting.lease(slots)
  assert.deepEqual(waiting.count(all), {
    'a responsive': 4,
    'a unresponsive': 4,
    'b responsive': 2,
    'c responsive': 1,
    'c unresponsive': 1
  })
  assert.deepEqual(waiting.count(await waiting.leaseAgain({ ...slots, taken: all })), {}, 'no more than four')
  const scarce = await waiting.lease({ ...slots, freeResponsive: 5, freeUnresponsive: 0 })
  assert.deepEqual(waiting.count(scarce), { 'a responsive': 2, 'b responsive': 2, 'c responsive': 1 })
  const full = await waiting.lease({ ...slots, freeResponsive: 0, freeUnresponsive: 2 })
  assert.deepEqual(waiting.count(full), { 'a unresponsive': 1, 'c unresponsive': 1 })
  const ofA = all.find(({ partnerId, isResponsive }) => isResponsive && partnerId === all[0]?.partnerId)
  const taken = Array<LeasedEndpoint>(3).fill(ofA!)
  const rest = waiting.count(await waiting.lease({ ...slots, taken }))
  assert.ok(Object.values(rest).reduce((sum, count) => sum + count) < all.length, 'slots in use count')
})

test('events of one partner delay those of others by at most one batch', async (t) => {
  const running = await startApp(t)
  const { app, database } = running
  const flood = await startTenant(running)
  const other = await startTenant(running)
  await app.close()
  await publish(running, flood.partnerId, Array<string>(500).fill('task.created'))
  await publish(running, other.partnerId, ['task.created', 'task.updated'])
  const published = async (partnerId: string) =>
    await database.db
      .selectFrom('events')
      .select(['type', 'sequence', 'position'])
      .where('partner_id', '=', partnerId)
      .where('published_at', 'is not', null)
      .orderBy('position')
      .execute()
  assert.equal(await publishEvents(app), 200)
  assert.deepEqual(
    (await published(other.partnerId)).map(({ type, sequence }) => [type, sequence]),
    [
      ['task.created', 1],
      ['task.updated', 2]
    ]
  )
  assert.equal(await publishEvents(app), 200)
  assert.equal(await publishEvents(app), 102)
  assert.deepEqual(
    (await published(flood.partnerId)).map(({ sequence }) => sequence),
    Array.from({ length: 500 }, (_, n) => n + 1)
  )
})
