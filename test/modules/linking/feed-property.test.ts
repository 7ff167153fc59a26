import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { sql } from 'kysely'
import { Products } from 'plaid'
import { test } from 'tap'
import type { DatabaseHandle } from '../../../plugins/database/index.ts'
import type { FaultKind } from '../../../simulators/plaid/index.ts'
import { openTestDatabase, TestClock, type Cleaner } from '../../build-app.ts'
import { createPartner } from '../../credentials.ts'
import { search } from '../../search.ts'
import { FeedClient } from './feed-client.ts'
import { simulatorOf, startWorld, type World } from './world.ts'

type Step =
  | { kind: 'news'; item: number }
  | { kind: 'time'; hours: number }
  | { kind: 'read'; limit: number; lost: boolean }
  | { kind: 'race'; item: number; limit: number }
  | { kind: 'again' }
  | { kind: 'fault'; fault: FaultKind; after: number; times: number }
  | { kind: 'crash' }
  | { kind: 'restart' }
  | { kind: 'compare' }

const limit = fc.constantFrom(1, 7, 100, 500)
const item = fc.constantFrom(0, 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('news' as const), item }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('time' as const), hours: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('read' as const), limit, lost: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('race' as const), item, limit }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'again' as const }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      fault: fc.constantFrom<FaultKind>(
        'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION',
        'drop',
        'drop_after',
        'error_after',
        'RATE_LIMIT_EXCEEDED',
        'ITEM_LOGIN_REQUIRED'
      ),
      after: fc.integer({ min: 0, max: 3 }),
      times: fc.integer({ min: 1, max: 7 })
    })
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'crash' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'compare' as const }) }
)

/** Makes commits of a sync fail while `crashing` has a row, and records every purchase that was ever stored. */
const instrument = async ({ db }: DatabaseHandle): Promise<void> => {
  await sql`create table crashing (now boolean)`.execute(db)
  await sql`create table ever_stored (id text primary key)`.execute(db)
  await sql`create function crash() returns trigger language plpgsql as $$ begin
    if exists (select from crashing) then raise exception 'the server died between page and commit'; end if; return new; end $$`.execute(
    db
  )
  // Deferred, so that all the work of the transaction is done and the commit itself fails.
  await sql`create constraint trigger crash after update of sync_cursor on items deferrable initially deferred for each row execute function crash()`.execute(
    db
  )
  await sql`create function note_stored() returns trigger language plpgsql as $$ begin
    if not new.removed then insert into ever_stored values (coalesce(new.pending_transaction_id, new.id)) on conflict do nothing; end if; return new; end $$`.execute(
    db
  )
  await sql`create trigger note_stored after insert or update on transactions for each row execute function note_stored()`.execute(
    db
  )
}

const setCrashing = async ({ db }: DatabaseHandle, crashing: boolean): Promise<void> => {
  await (crashing ? sql`insert into crashing values (true)` : sql`delete from crashing`).execute(db)
}

/** Links an item with a shorter history than usual in the sandbox, so that a test has time for many runs. */
const linkShort = async (
  world: World,
  userId: string,
  days_requested: number,
  institution_id: string
): Promise<string> => {
  const options = { webhook: `${world.url}/v1/plaid/webhook`, transactions: { days_requested } }
  const { public_token } = await world.app.plaid.in('test').call(
    (api) =>
      api.sandboxPublicTokenCreate({
        institution_id,
        initial_products: [Products.Transactions],
        options
      }),
    { repeatable: true }
  )
  const linked = await world.post('/v1/accounts/link', { public_token, user_id: userId })
  assert.equal(linked.status, 200, linked.text)
  return linked.body.item_id
}

class Story {
  readonly items: string[] = []
  readonly client: FeedClient
  /** False after a lost response, until the client has read to the end with its own cursor. */
  #inStep = true
  constructor(
    readonly userId: string,
    readonly stage: { world: World; restart(): Promise<void> }
  ) {
    this.client = new FeedClient({ get: (path) => stage.world.get(path) }, userId)
  }

  async read(limit: number): Promise<void> {
    const page = await this.client.read({ limit, ...(this.#inStep ? {} : { from: this.client.cursor ?? '' }) })
    if (page === undefined) this.#inStep = false
    else if (!page.hasMore) this.#inStep = true
  }

  async loseResponse(limit: number): Promise<void> {
    this.#inStep = false
    await this.client.requestPage({ limit })
  }

  /** Changes at both banks during two reads. Both reads move the stored position, so this client then uses its own cursor. */
  async race(item: number, limit: number): Promise<void> {
    this.#inStep = false
    await Promise.all([this.news(item), this.client.requestPage({ from: '' }), this.read(limit), this.news(1 - item)])
    this.#inStep = false
  }

  async news(item: number): Promise<void> {
    await this.stage.world.post(`/v1/sandbox/items/${this.items[item]}/fire_webhook`, {
      webhook_code: 'SYNC_UPDATES_AVAILABLE'
    })
  }

  async compare(): Promise<void> {
    const { world } = this.stage
    simulatorOf(world).faults.clear()
    await world.settle()
    const from = this.#inStep ? undefined : (this.client.cursor ?? '')
    await this.client.drain(from === undefined ? {} : { from })
    this.#inStep = true
    const truths = await Promise.all(this.items.map((id) => world.truthOf(id)))
    const truth = new Map(truths.flatMap((truth) => [...truth]))
    const different = [...new Set([...truth.keys(), ...this.client.view.keys()])].filter(
      (id) => !isDeepStrictEqual(truth.get(id), this.client.view.get(id))
    )
    assert.deepEqual(
      different.slice(0, 3).map((id) => ({ truth: truth.get(id), view: this.client.view.get(id) })),
      []
    )
  }

  async take(step: Step): Promise<void> {
    const { world } = this.stage
    switch (step.kind) {
      case 'news':
        return await this.news(step.item)
      case 'time':
        return world.clock.advance(step.hours * 3_600_000)
      case 'read':
        return await (step.lost ? this.loseResponse(step.limit) : this.read(step.limit))
      case 'race':
        return await this.race(step.item, step.limit)
      case 'again': {
        await this.client.read({ from: '' })
        this.#inStep = false
        return
      }
      case 'fault': {
        const { faults } = simulatorOf(world)
        faults.next('/transactions/sync', 'slow', step.after, 0)
        return faults.next('/transactions/sync', step.fault, step.times)
      }
      case 'crash': {
        await setCrashing(world.database, true)
        await this.loseResponse(500)
        // Runs the background sync now, so that it fails here and not in a later step that waits for it.
        await world.app.jobs.run('sync items that changed').catch(() => undefined)
        return await setCrashing(world.database, false)
      }
      case 'restart':
        return await this.stage.restart()
      case 'compare':
        return await this.compare()
    }
  }
}

const startStage = async (t: Cleaner) => {
  const database = await openTestDatabase(t)
  await instrument(database)
  const clock = new TestClock()
  const partner = await createPartner(database)
  // A restarted server must be able to decrypt the data and cursors of its predecessor.
  const env = { ATLAS_ENCRYPTION_KEY: randomBytes(32).toString('base64') }
  const start = () => startWorld(t, { database, clock, partner, env })
  const stage = {
    world: await start(),
    async restart() {
      await stage.world.app.close()
      stage.world = await start()
    }
  }
  return stage
}

test("despite any faults, the client converges to Plaid's data, and usage counts each purchase once", async (t) => {
  const stage = await startStage(t)
  let runs = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const story = new Story(`usr_${++runs}`, stage)
      for (const [days, bank] of [
        [240, 'ins_109508'],
        [20, 'ins_109509']
      ] as const)
        story.items.push(await linkShort(stage.world, story.userId, days, bank))
      for (const taken of steps) await story.take(taken)
      await story.compare()
      const { db } = stage.world.database
      const counted = await db
        .selectFrom('usage_events')
        .select('event_id')
        .where('event_type', '=', 'transaction')
        .orderBy('event_id')
        .execute()
      const stored = (await sql<{ id: string }>`select id from ever_stored order by id collate "C"`.execute(db)).rows
      assert.deepEqual(
        counted.map(({ event_id }) => event_id).sort(),
        stored.map(({ id }) => `transaction:${id}`).sort()
      )
    }),
    { ...search(4), endOnFailure: true }
  )
})
