import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { sql } from 'kysely'
import { test } from 'tap'
import { behaviours, openBank } from '../../../simulators/plaid/index.ts'
import { search } from '../../search.ts'
import { FeedClient } from './feed-client.ts'
import { simulatorOf, startWorld, wireOf, type World } from './world.ts'

type Step =
  | { kind: 'time'; hours: number }
  | { kind: 'read'; limit: number; lost: boolean }
  | { kind: 'look'; path: 'accounts' | 'items' | 'insights/cashflow' }
  | { kind: 'news'; item: number }
  | { kind: 'relink' }
  | { kind: 'breakLogin'; item: number }
  | { kind: 'revokeAccount'; item: number }
  | { kind: 'shareMore'; item: number }
  | { kind: 'compare' }

const item = fc.constantFrom(0, 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('time' as const), hours: fc.integer({ min: 1, max: 80 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      limit: fc.constantFrom(7, 100, 500),
      lost: fc.boolean()
    })
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('look' as const),
      path: fc.constantFrom('accounts' as const, 'items' as const, 'insights/cashflow' as const)
    })
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('news' as const), item }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'relink' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('breakLogin' as const), item }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('revokeAccount' as const), item }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('shareMore' as const), item }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'compare' as const }) }
)

const bank = fc.subarray(Object.keys(behaviours) as (keyof typeof behaviours)[], { minLength: 1 })

type Row = Record<string, unknown>

/** A purchase has one id: that of its pending transaction, if it had one. */
const purchaseOf = (row: Row): string => String(row.pending_transaction_id ?? row.transaction_id)

class Story {
  readonly items: { id: string; plaidId: string }[] = []
  readonly client: FeedClient
  #inStep = true

  constructor(
    readonly world: World,
    readonly userId: string,
    readonly bankId: string
  ) {
    this.client = new FeedClient({ get: (path) => this.get(path) }, userId)
  }

  /** No record may make an endpoint fail. */
  async get(path: string) {
    const answered = await this.world.get(path)
    assert.ok(answered.status < 500, `${path}: ${answered.status} ${answered.text}`)
    return answered
  }

  async link(): Promise<void> {
    const { itemId } = await this.world.link(this.userId, this.bankId)
    const { db } = this.world.database
    const { plaid_item_id } = await db
      .selectFrom('items')
      .select('plaid_item_id')
      .where('id', '=', itemId)
      .executeTakeFirstOrThrow()
    this.items.push({ id: itemId, plaidId: plaid_item_id })
  }

  async read(limit: number, lost: boolean): Promise<void> {
    if (lost) {
      this.#inStep = false
      await this.client.requestPage({ limit })
      return
    }
    const page = await this.client.read({ limit, ...(this.#inStep ? {} : { from: this.client.cursor ?? '' }) })
    if (page?.hasMore === false) this.#inStep = true
  }

  /** What the banks have, by our id, of the accounts that count; read from the simulator and not over the wire. */
  async truth(): Promise<Map<string, Row>> {
    const { db } = this.world.database
    const truth = new Map<string, Row>()
    for (const { id, plaidId } of this.items) {
      const accounts = await db.selectFrom('accounts').selectAll().where('item_id', '=', id).execute()
      const counted = new Map(
        accounts
          .filter((account) => account.duplicate_of === null)
          .map((account) => [account.plaid_account_id, account.id])
      )
      for (const transaction of await simulatorOf(this.world).truthOf(plaidId)) {
        const row = wireOf(id, counted, transaction)
        if (row.account_id !== undefined) truth.set(String(row.transaction_id), row)
      }
    }
    return truth
  }

  /** Each posted transaction of the person appears as often as one item shows it, however many items show it. */
  async assertNothingTwice(rows: Iterable<Row>): Promise<void> {
    const { body } = await this.get(`/v1/accounts?user_id=${this.userId}`)
    const nameOf = new Map<string, string>(
      body.accounts.map((account: { account_id: string; name: string }) => [account.account_id, account.name])
    )
    const keyOf = (name: string | undefined, row: Row) => JSON.stringify([name, row.date, row.amount, row.name])
    const shown = new Map<string, number>()
    for (const row of rows) {
      const key = keyOf(nameOf.get(String(row.account_id)), row)
      if (row.pending === false) shown.set(key, (shown.get(key) ?? 0) + 1)
    }
    const most = new Map<string, number>()
    for (const { id, plaidId } of this.items) {
      const accounts = await this.world.database.db
        .selectFrom('accounts')
        .selectAll()
        .where('item_id', '=', id)
        .execute()
      const names = new Map(accounts.map((account) => [account.plaid_account_id, account.name]))
      const own = new Map<string, number>()
      for (const row of await simulatorOf(this.world).truthOf(plaidId)) {
        const key = keyOf(names.get(row.account_id), row)
        own.set(key, (own.get(key) ?? 0) + 1)
      }
      for (const [key, count] of own) most.set(key, Math.max(count, most.get(key) ?? 0))
    }
    for (const [key, count] of shown) assert.ok(count <= (most.get(key) ?? 0), `${key} is shown ${count} times`)
  }

  async assertUsage(rows: Row[]): Promise<void> {
    const { db } = this.world.database
    const final = new Map<string, Row>()
    for (const row of [...rows].sort((a, b) => Number(b.pending) - Number(a.pending))) final.set(purchaseOf(row), row)
    const volume = [...final.values()]
      .filter((row) => row.iso_currency_code === 'USD')
      .reduce((sum, row) => sum + Math.round(Math.abs(Number(row.amount)) * 100), 0)
    const counted = await sql<{ transactions: number; volume: number }>`
      select coalesce(sum(transactions), 0)::integer as transactions, coalesce(sum(amount_cents), 0)::bigint as volume
      from usage_events where user_id = ${this.userId} and event_type in ('transaction', 'correction')`.execute(db)
    assert.deepEqual(counted.rows, [{ transactions: final.size, volume }])
  }

  async compare(): Promise<void> {
    const { world } = this
    for (const { plaidId } of this.items) await simulatorOf(world).repairLogin(plaidId)
    world.clock.advance(11 * 60_000)
    // Accounts first: which of them count decides what is synced.
    for (let round = 0; round < 2; round++) {
      await world.settle()
      await this.client.drain({ from: '' })
      await this.get(`/v1/accounts?user_id=${this.userId}`)
    }
    await this.client.drain({ from: '' })
    this.#inStep = true
    const truth = await this.truth()
    const ids = new Set([...truth.keys(), ...this.client.view.keys()])
    const different = [...ids].filter((id) => !isDeepStrictEqual(truth.get(id), this.client.view.get(id)))
    assert.deepEqual(
      different.slice(0, 3).map((id) => ({ truth: truth.get(id), view: this.client.view.get(id) })),
      []
    )
    await this.assertNothingTwice(this.client.view.values())
    await this.assertUsage([...this.client.view.values()])
    const { body } = await this.get(`/v1/items?user_id=${this.userId}`)
    for (const listed of body.items) assert.deepEqual([listed.status, listed.history], ['ok', 'complete'])
  }

  async take(step: Step): Promise<unknown> {
    const target = this.items[('item' in step ? step.item : 0) % this.items.length]
    assert.ok(target !== undefined)
    switch (step.kind) {
      case 'time':
        return this.world.clock.advance(step.hours * 3_600_000)
      case 'read':
        return await this.read(step.limit, step.lost)
      case 'look':
        return await this.get(`/v1/${step.path}?user_id=${this.userId}`)
      case 'news':
        return await this.world.post(`/v1/sandbox/items/${target.id}/fire_webhook`, {
          webhook_code: 'SYNC_UPDATES_AVAILABLE'
        })
      case 'relink':
        return this.items.length < 3 ? await this.link() : undefined
      case 'breakLogin':
        return await this.world.post(`/v1/sandbox/items/${target.id}/reset_login`)
      case 'revokeAccount':
        return await this.world.post(`/v1/sandbox/items/${target.id}/fire_webhook`, {
          webhook_code: 'USER_ACCOUNT_REVOKED'
        })
      case 'shareMore':
        return await simulatorOf(this.world).shareMoreAccounts(target.plaidId)
      case 'compare':
        return await this.compare()
    }
  }
}

test('whatever banks do, the feed shows their truth, counts nothing twice, and no endpoint fails', async (t) => {
  const world = await startWorld(t, { historyDays: 45 })
  let runs = 0
  await fc.assert(
    fc.asyncProperty(bank, fc.array(step, { minLength: 3, maxLength: 12 }), async (names, steps) => {
      const run = ++runs
      const story = new Story(
        world,
        `usr_${run}`,
        openBank(
          `property_${run}`,
          names.map((name) => behaviours[name])
        )
      )
      await story.link()
      for (const taken of steps) await story.take(taken)
      await story.compare()
    }),
    { ...search(6), endOnFailure: true }
  )
})
