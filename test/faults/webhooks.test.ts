import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import { openDatabase } from '../../plugins/database/index.ts'
import { SeededRandom } from '../../scripts/seeded-random.ts'
import { createPostgresDatabase, fillDataDir, type Cleaner } from '../build-app.ts'
import { startServerProcess } from '../machines/server-process.ts'
import { until } from '../machines/waiting.ts'
import {
  createApi,
  createPartner,
  respond,
  startReceiver,
  type Api,
  type Behaviour,
  type Body
} from '../modules/webhooks/setup.ts'

/** Each kill requires another start of the server, which is slow with the embedded database. */
const kills = Number(process.env.FAULT_KILLS ?? ((process.env.TEST_DATABASE_URL ?? '') === '' ? 4 : 10))

const prepare = async (t: Cleaner) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'atlas-fault-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const testUrl = process.env.TEST_DATABASE_URL
  const postgres = testUrl === undefined || testUrl === '' ? undefined : await createPostgresDatabase(testUrl)
  if (postgres === undefined) await fillDataDir(dataDir)
  else t.teardown(() => postgres.drop())
  const database = await openDatabase({ databaseUrl: postgres?.url, databasePoolSize: 2, dataDir }, () => undefined)
  const partner = await createPartner(database.db)
  await database.close()
  const server = await startServerProcess(t, {
    NODE_ENV: 'test',
    ATLAS_DATA_DIR: dataDir,
    DATABASE_URL: postgres?.url ?? '',
    LOG_LEVEL: 'silent',
    PUBLIC_API_RATE_OVERRIDES: JSON.stringify({ [partner.partnerId]: { read: 1_000_000, write: 1_000_000 } })
  })
  return { server, key: partner.key }
}

/** A receiver that fails in every way, once or twice for most deliveries, and then accepts them. */
const unreliable = (random: () => number) => {
  const faults: Behaviour[] = [
    respond(500, 'broken'),
    respond(302, '', { location: 'http://127.0.0.1:1/' }),
    respond(404),
    (request) => void request.socket.resetAndDestroy(),
    (_request, response) => void response.socket?.end()
  ]
  const left = new Map<string, Behaviour[]>()
  const taken = new Set<string>()
  let hangs = 0
  const behaviour: Behaviour = (request, response, received) => {
    const id = String(received.headers['x-atlas-delivery'])
    if (!left.has(id)) {
      const planned = Array.from(
        { length: Math.floor(random() * 3) },
        () => faults[Math.floor(random() * faults.length)]!
      )
      if (random() < 0.1 && hangs++ < 3) planned.push(() => undefined)
      left.set(id, planned)
    }
    const fault = left.get(id)?.shift()
    if (fault !== undefined) return fault(request, response, received)
    response.end('taken')
    taken.add(received.event.id)
  }
  return { behaviour, taken }
}

/** Sends `count` pairs of requests for a test delivery, and collects the ids of the acknowledged events. Ignores a dead server. */
const requestTests = async (api: Api, id: string, count: number, promised: Set<string>): Promise<void> => {
  const sendTest = async (): Promise<void> => {
    const response = await api('POST', `/v1/webhooks/${id}/test`, undefined, { 'idempotency-key': randomUUID() }).catch(
      () => undefined
    )
    if (response?.status === 202) promised.add(String(response.body.event_id))
  }
  for (let n = 0; n < count; n++) await Promise.all([sendTest(), sendTest()])
}

const readFeed = async (api: Api): Promise<Body[]> => {
  const items: Body[] = []
  let after: string | null = '0'
  while (after !== null) {
    const { body }: { body: Body } = await api('GET', `/v1/events?limit=500&after=${after}`)
    items.push(...body.items)
    after = body.nextCursor
  }
  return items
}

test(
  'despite kill -9 and an unreliable receiver, every committed event arrives, and no other',
  { timeout: 900_000 },
  async (t) => {
    const chance = new SeededRandom(20260614)
    const random = () => chance.next()
    const { server, key } = await prepare(t)
    const api = createApi(server.url, key)
    const { behaviour, taken } = unreliable(random)
    const receiver = await startReceiver(t, behaviour)
    const gone = await startReceiver(t, respond(410))
    const hook = (await api('POST', '/v1/webhooks', { url: receiver.url, events: ['webhook.disabled'] })).body
    const dying = (await api('POST', '/v1/webhooks', { url: gone.url, events: ['task.*'] })).body
    const promised = new Set<string>()
    for (let round = 0; round < kills; round++) {
      if (round === kills / 2) await api('POST', `/v1/webhooks/${dying.id}/test`)
      await requestTests(api, hook.id, 2 + Math.floor(random() * 4), promised)
      // Requests more while the server dies. Which of them it commits is unknown.
      const lost = requestTests(api, hook.id, 3, promised)
      await delay(random() * 60)
      await server.crash()
      await lost
      await server.start()
    }

    const wanted = async () =>
      (await readFeed(api)).filter(
        ({ type, data }) => type !== 'webhook.test' || (data as { webhook_id: string }).webhook_id === hook.id
      )
    await until('every event has arrived', async () => {
      const [events, state] = [await wanted(), (await api('GET', `/v1/webhooks/${dying.id}`)).body.status]
      return (
        state === 'disabled' &&
        events.some(({ type }) => type === 'webhook.disabled') &&
        events.every(({ id }) => taken.has(id))
      )
    })
    const feed = await readFeed(api)
    assert.deepEqual(
      feed.map((event) => event.sequence),
      feed.map((_, index) => index + 1),
      'the sequence has no gaps'
    )
    const inFeed = new Set(feed.map((event) => event.id))
    assert.ok(promised.size >= kills, 'enough requests were acknowledged')
    assert.deepEqual(
      [...promised].filter((id) => !inFeed.has(id)),
      [],
      'acknowledged events are committed'
    )
    assert.deepEqual(
      receiver.received.filter(({ event }) => !inFeed.has(event.id)),
      [],
      'delivered events are committed'
    )
    assert.deepEqual(
      feed.filter(({ type }) => type === 'webhook.disabled').map(({ data }) => data),
      [{ webhook_id: dying.id, url: gone.url, reason: 'gone' }]
    )
    const deliveryOf = new Map<string, unknown>()
    for (const { headers, raw, event } of receiver.received) {
      assert.equal(
        headers['x-atlas-signature'],
        `sha256=${createHmac('sha256', hook.secret).update(raw).digest('hex')}`
      )
      assert.equal(
        deliveryOf.get(event.id) ?? headers['x-atlas-delivery'],
        headers['x-atlas-delivery'],
        'one delivery for each event'
      )
      deliveryOf.set(event.id, headers['x-atlas-delivery'])
    }
  }
)
