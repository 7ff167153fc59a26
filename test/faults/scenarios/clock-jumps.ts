import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { openPostgres, withState } from '../../../plugins/database/index.ts'
import { migrateToLatest } from '../../../plugins/database/migrate.ts'
import { TestClock } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'
import { assertEverythingHolds } from '../../load/invariants.ts'
import { createPromises } from '../../load/promises.ts'
import { subscribe } from '../../load/site.ts'
import { linkBank, succeeded } from '../../load/tenant.ts'
import { startPostgres } from '../../machines/postgres-server.ts'
import { startReceiver } from '../../modules/webhooks/setup.ts'
import { openWorld, type World } from '../../modules/agents/world.ts'
import type { Scenario, ScenarioContext } from '../scenario.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Jumps forward past every deadline, and back to before the timestamps already written. */
const jumps = [25 * hourMs, -26 * hourMs, 31 * dayMs, -31 * dayMs, 62 * dayMs, -90 * dayMs, 400 * dayMs]
const operationsEach = 40

/** Two servers on one database whose clocks always differ. */
const startPair = async (context: ScenarioContext): Promise<[World, World]> => {
  const postgres = await startPostgres(context, { durable: false })
  const env = {
    ATLAS_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    ATLAS_JWT_SECRET: randomBytes(48).toString('base64')
  }
  const open = () => {
    const database = withState(openPostgres(postgres.url, 5, () => undefined))
    context.teardown(() => database.close())
    return database
  }
  const [first, second] = [open(), open()]
  await migrateToLatest(first.db)
  const one = await openWorld(context, { database: first, env, clock: new TestClock() })
  return [one, await openWorld(context, { database: second, env, clock: new TestClock() }, one.owner)]
}

/** An agent with a loan that becomes late once and defaults once, in whatever direction the clocks jump. */
const borrow = async (world: World, key: string, agentId: string, furnisherKey: string): Promise<void> => {
  const report = {
    agent_id: agentId,
    reporter_name: 'before',
    reporter_platform: 'before',
    report_type: 'payment_ontime'
  }
  for (let n = 0; n < 8; n++) succeeded(await world.as(furnisherKey, 'POST', '/v2/api/report', report))
  succeeded(await world.as(key, 'POST', '/api/loans', { amount: 100 }))
}

const lapsesOf = async ({ database: { db } }: World, agentId: string): Promise<string[]> => {
  const rows = await db
    .selectFrom('bureau_events')
    .select('kind')
    .where('agent_id', '=', agentId)
    .where('reporter_platform', 'not in', ['before', 'load'])
    .orderBy('id')
    .execute()
  return rows.map(({ kind }) => kind)
}

export const clockJumps: Scenario = {
  name: 'clock-jumps',
  fault: `two instances whose clocks differ by up to an hour jump ${jumps.map((ms) => `${ms / hourMs} h`).join(', ')}`,
  async run(context) {
    const { random, note } = context
    const worlds = await startPair(context)
    const [one] = worlds
    const urls = worlds.map(({ url }) => url)
    const partnerKey = String(
      succeeded(await one.asOwner('POST', '/v1/api-keys', { name: 'load', environment: 'test' })).key
    )
    const agents = []
    for (const agentId of ['steady', 'debtor']) {
      const key = await one.fund(agentId, 10_000)
      succeeded(await send(one.url, 'POST', '/v2/api/register', { body: { agent_id: agentId } }))
      agents.push({ agentId, key })
    }
    const { testKey: furnisherKey } = await createPartner(one.database)
    await borrow(one, agents[1]!.key, 'debtor', furnisherKey)
    const receiver = await startReceiver(context)
    const eventsBefore = await subscribe(
      { url: one.url, db: one.database.db },
      { partnerId: one.owner.partnerId, key: partnerKey },
      receiver
    )
    const accounts = await linkBank(one.url, partnerKey, 'usr_load')
    const tenant = {
      email: '',
      password: '',
      cookie: '',
      token: '',
      partnerId: one.owner.partnerId,
      key: partnerKey,
      furnisherKey,
      agents,
      ...accounts
    }
    const promises = createPromises(tenant, random)
    for (const jump of jumps) {
      for (const { clock } of worlds) clock.advance(jump + random.integer(0, hourMs / 4))
      const from = promises.all.length
      await promises.load(urls, { clients: 4, most: operationsEach }).done
      for (const { app } of worlds) await app.jobs.run('loans')
      // Replays right away, perhaps at the other instance, whose clock differs.
      for (const promise of promises.all.slice(from)) {
        const again = await send(random.pick(urls), 'POST', promise.path, {
          key: promise.credential,
          body: promise.body,
          headers: { 'idempotency-key': promise.key }
        })
        assert.deepEqual([again.status, again.text], [promise.settled?.status, promise.settled?.text])
      }
    }
    assert.deepEqual([...promises.statuses.keys()], ['200'], 'no clock jump fails a request')
    assert.deepEqual(
      await lapsesOf(one, 'debtor'),
      ['payment_late', 'payment_missed'],
      'a loan becomes late once and defaults once'
    )
    note(
      await assertEverythingHolds({
        db: one.database.db,
        url: one.url,
        partnerId: one.owner.partnerId,
        promises,
        received: receiver.received,
        eventsBefore,
        replays: operationsEach
      })
    )
  }
}
