import assert from 'node:assert/strict'
import { openPostgres, withState } from '../../../plugins/database/index.ts'
import { migrateToLatest } from '../../../plugins/database/migrate.ts'
import type { FaultKind } from '../../../simulators/plaid/faults.ts'
import { assertTransfers } from '../../load/invariants.ts'
import { startPostgres } from '../../machines/postgres-server.ts'
import { simulatorOf, startWorld, type World } from '../../modules/payments/world.ts'
import type { Scenario, Stage } from '../scenario.ts'

/** Before anything is done, after everything is done, and in ways that leave it open. */
const ways: FaultKind[] = ['drop', 'drop_after', 'error_after', 'INTERNAL_SERVER_ERROR', 'RATE_LIMIT_EXCEEDED']

interface Attempt {
  path: string
  body: Record<string, unknown>
  key: string
}

const attemptsOf = async (world: World, stage: Stage, checking: string, savings: string): Promise<Attempt[]> => {
  const attempts: Attempt[] = []
  for (let n = 0; n < 30; n++) {
    const made = stage.random.chance(0.2) ? await world.post('/v1/sandbox/public_token', {}) : undefined
    attempts.push(
      made === undefined
        ? {
            path: '/v1/transfers',
            key: `t${n}`,
            body: { from_account_id: checking, to_account_id: savings, amount: 0.5, memo: `t${n}` }
          }
        : {
            path: '/v1/accounts/link',
            key: `l${n}`,
            body: { public_token: made.body.public_token, user_id: `usr_${n}` }
          }
    )
  }
  return attempts
}

const post = (world: World, { path, body, key }: Attempt) =>
  world.post(path, body, undefined, { 'idempotency-key': key })

/** What a partner sees: only what was acknowledged to it. */
const visible = async (world: World): Promise<number> => {
  const { body } = await world.get('/v1/transfers?limit=500')
  const items = await world.database.db.selectFrom('items').select('id').execute()
  return body.transfers.length + items.length
}

/** Each transfer is at Plaid once, and what is held on the account is what its transfers hold. */
const assertAtPlaidOnce = async ({ database: { db } }: World, checking: string): Promise<number> => {
  const transfers = await db
    .selectFrom('transfers')
    .select(['id', 'amount_cents'])
    .where('from_account_id', '=', checking)
    .execute()
  const atPlaid = await db.selectFrom('simulators.plaid_transfers').select('metadata').execute()
  assert.deepEqual(
    atPlaid.map(({ metadata }) => metadata?.transfer_id).sort(),
    transfers.map(({ id }) => id).sort(),
    'each transfer is at Plaid, once'
  )
  const { held_cents } = await db
    .selectFrom('account_funds')
    .select('held_cents')
    .where('account_id', '=', checking)
    .executeTakeFirstOrThrow()
  assert.equal(
    held_cents,
    transfers.reduce((sum, { amount_cents }) => sum + amount_cents, 0)
  )
  return transfers.length
}

export const plaidGone: Scenario = {
  name: 'plaid-gone',
  trouble: 'Plaid is unreachable, fails, or loses its responses, during links and transfers',
  async run(stage) {
    const postgres = await startPostgres(stage, { durable: false })
    const database = withState(openPostgres(postgres.url, 10, () => undefined))
    stage.teardown(() => database.close())
    await migrateToLatest(database.db)
    const world = await startWorld(stage, { database })
    const { faults } = simulatorOf(world)
    const { checking, savings } = await world.link()
    const attempts = await attemptsOf(world, stage, checking, savings)
    const before = await visible(world)
    let acknowledged = 0
    for (const attempt of attempts) {
      // More than the retries of any call, so that Plaid is gone for good as far as this request can see.
      for (let n = 0; n < 12; n++) faults.next('*', stage.random.pick(ways))
      const { status, body } = await post(world, attempt)
      if (status === 200) acknowledged += 1
      else assert.deepEqual([status, body.error], [502, 'upstream_unavailable'])
      const stale = await world.get('/v1/accounts?user_id=usr_8M2nQ')
      assert.equal(stale.status, 200)
      assert.ok(
        stale.body.accounts.every((account: { stale: boolean }) => account.stale),
        'balances are served from what is stored'
      )
      faults.clear()
      assert.equal(await visible(world), before + acknowledged, 'nothing half-done is seen')
    }
    // Some never come back; what Plaid has of them is finished, what it never got is undone.
    const [again, abandoned] = [
      attempts.filter((_, index) => index % 3 !== 0),
      attempts.filter((_, index) => index % 3 === 0)
    ]
    for (const attempt of again) assert.equal((await post(world, attempt)).status, 200, attempt.key)
    world.clock.advance(11 * 60_000)
    await world.sweep()
    const made = await assertAtPlaidOnce(world, checking)
    const preparing = await database.db.selectFrom('transfers').select('id').where('state', '=', 'preparing').execute()
    assert.deepEqual(preparing, [], 'nothing is left half-done')
    await assertTransfers(database.db)
    stage.note(
      `${attempts.length} operations without Plaid, ${acknowledged} of them acknowledged, ${abandoned.length} never tried again; ${made} transfers, each at Plaid once`
    )
  }
}
