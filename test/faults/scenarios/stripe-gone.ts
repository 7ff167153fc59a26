import assert from 'node:assert/strict'
import { openPostgres, withState } from '../../../plugins/database/index.ts'
import { migrateToLatest } from '../../../plugins/database/migrate.ts'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import { startPostgres } from '../../machines/postgres-server.ts'
import { openWorld } from '../../modules/agents/world.ts'
import type { Scenario } from '../scenario.ts'

const checkouts = 8

export const stripeGone: Scenario = {
  name: 'stripe-gone',
  fault:
    'Stripe is unreachable, fails, or loses its responses during purchases; then its events arrive twice and out of order',
  async run(context) {
    const { random, note } = context
    const postgres = await startPostgres(context, { durable: false })
    const database = withState(openPostgres(postgres.url, 10, () => undefined))
    context.teardown(() => database.close())
    await migrateToLatest(database.db)
    const world = await openWorld(context, { database })
    const { stripe: simulator } = world.app.simulators
    assert.ok(simulator)
    const { faults } = simulator
    const buy = (n: number) =>
      world.asOwner('POST', '/api/checkout', { agent_id: `buyer-${n}`, amount: 10 + n }, { 'idempotency-key': `c${n}` })
    await Promise.all(
      Array.from({ length: checkouts }, async (_, n) => {
        faults.requests = [
          { kind: random.pick(['error', 'drop', 'drop_after'] as const), path: '/v1/checkout', times: 1_000 },
          ...(faults.requests ?? [])
        ]
        const { status, body } = await buy(n)
        assert.deepEqual([status, body.error], [502, 'upstream_unavailable'])
        assert.deepEqual(
          (await world.as(undefined, 'GET', `/api/status?agent_id=buyer-${n}`)).body,
          { exists: false },
          'no incomplete checkout is left'
        )
      })
    )
    delete faults.requests
    faults.duplicates = 2
    faults.duplicatesAtOnce = true
    faults.reorder = true
    for (let n = 0; n < checkouts; n++) {
      const { status, body } = await buy(n)
      assert.equal(status, 200)
      const pay = () =>
        fetch(String(body.checkout_url), {
          method: 'POST',
          body: new URLSearchParams({ action: 'pay' }),
          redirect: 'manual'
        })
      await Promise.all([pay(), pay()])
    }
    await simulator.settled()
    for (let n = 0; n < checkouts; n++)
      assert.equal(await world.balance(`buyer-${n}`), (10 + n) * 100, 'paid credits are booked once')
    const sessions = await database.db.selectFrom('simulators.stripe_sessions').select('id').execute()
    assert.equal(sessions.length, checkouts, 'a retry finds the session of the lost response')
    assert.deepEqual((await verifyLedger(database.db)).faults, [])
    note(
      `${checkouts} checkouts failed with 502 and left nothing behind; retried with their keys they created ${sessions.length} sessions, each paid and booked once`
    )
  }
}
