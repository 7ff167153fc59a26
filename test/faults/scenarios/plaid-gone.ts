import assert from 'node:assert/strict'
import { openPostgres, withState } from '../../../plugins/database/index.ts'
import { migrateToLatest } from '../../../plugins/database/migrate.ts'
import type { FaultKind } from '../../../simulators/plaid/faults.ts'
import { assertTransfers } from '../../load/invariants.ts'
import { startPostgres } from '../../machines/postgres-server.ts'
import { simulatorOf, startWorld, type World } from '../../modules/payments/world.ts'
import type { Scenario, ScenarioContext } from '../scenario.ts'

/** Faults before Plaid does anything, after it has done everything, and with an unknown outcome. */
const ways: FaultKind[] = ['drop', 'drop_after', 'error_after', 'INTERNAL_SERVER_ERROR', 'RATE_LIMIT_EXCEEDED']

interface Attempt {
  path: string
  body: Record<string, unknown>
  key: string
}

const attemptsOf = async (
  world: World,
  context: ScenarioContext,
  checking: string,
  savings: string
): Promise<Attempt[]> => {
  const attempts: Attempt[] = []
  for (let n = 0; n < 30; n++) {
    const made = context.random.chance(0.2) ? await world.post('/v1/sandbox/public_token', {}) : undefined
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

/** Asserts that a partner sees only acknowledged resources. */
const visible = async (world: World): Promise<number> => {
  const { body } = await world.get('/v1/transfers?limit=500')
  const items = await world.database.db.selectFrom('items').select('id').execute()
  return body.transfers.length + items.length
}

/** Asserts that each transfer is at Plaid once, and that the account's holds are those of its transfers. */
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
    'each transfer is at Plaid exactly once'
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
  fault: 'Plaid is unreachable, fails, or loses its responses, during links and transfers',
  async run(context) {
    const postgres = await startPostgres(context, { durable: false })
    const database = withState(openPostgres(postgres.url, 10, () => undefined))
    context.teardown(() => database.close())
    await migrateToLatest(database.db)
    const world = await startWorld(context, { database })
    const { faults } = simulatorOf(world)
    const { checking, savings } = await world.link()
    const attempts = await attemptsOf(world, context, checking, savings)
    const before = await visible(world)
    let acknowledged = 0
    for (const attempt of attempts) {
      // More faults than any call has retries, so that Plaid stays unavailable for the whole request.
      for (let n = 0; n < 12; n++) faults.next('*', context.random.pick(ways))
      const { status, body } = await post(world, attempt)
      if (status === 200) acknowledged += 1
      else assert.deepEqual([status, body.error], [502, 'upstream_unavailable'])
      const stale = await world.get('/v1/accounts?user_id=usr_8M2nQ')
      assert.equal(stale.status, 200)
      assert.ok(
        stale.body.accounts.every((account: { stale: boolean }) => account.stale),
        'balances are served from stored data'
      )
      faults.clear()
      assert.equal(await visible(world), before + acknowledged, 'no incomplete operation is visible')
    }
    // Some clients never retry. The server completes what Plaid has, and undoes what Plaid never received.
    const [again, abandoned] = [
      attempts.filter((_, index) => index % 3 !== 0),
      attempts.filter((_, index) => index % 3 === 0)
    ]
    for (const attempt of again) assert.equal((await post(world, attempt)).status, 200, attempt.key)
    world.clock.advance(11 * 60_000)
    await world.sweep()
    const made = await assertAtPlaidOnce(world, checking)
    const preparing = await database.db.selectFrom('transfers').select('id').where('state', '=', 'preparing').execute()
    assert.deepEqual(preparing, [], 'no incomplete operation is left')
    await assertTransfers(database.db)
    context.note(
      `${attempts.length} operations without Plaid, ${acknowledged} of them acknowledged, ${abandoned.length} never retried; ${made} transfers, each at Plaid once`
    )
  }
}
