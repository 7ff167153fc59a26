import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'tap'
import { ledgerCheckJob } from '../../../plugins/ledger/index.ts'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import { transact } from '../../../plugins/database/transaction.ts'
import { startApp, type TestApp } from '../../build-app.ts'
import { send } from '../../credentials.ts'

const openFunded = async ({ app, database: { db } }: TestApp, walletId: string, amountCents: number): Promise<void> =>
  await transact(db, async (trx) => {
    await app.ledger.openWallet(trx, walletId)
    if (amountCents > 0) await app.ledger.post(trx, { walletId, type: 'earn', amountCents, description: 'Top-up' })
  })

const spend = async ({ app, database: { db } }: TestApp, walletId: string, amountCents: number, reference?: string) =>
  await transact(db, (trx) =>
    app.ledger.post(trx, {
      walletId,
      type: 'spend',
      amountCents,
      description: 'A call',
      ...(reference === undefined ? {} : { reference })
    })
  )

test('the ledger', async (t) => {
  const logged: string[] = []
  const server = await startApp(t, {
    env: { LOG_LEVEL: 'error' },
    logStream: { write: (line) => void logged.push(line) }
  })
  const { app, database, clock } = server
  const { db } = database

  await t.test('a posting is a balanced pair of entries, and the balance is their sum', async () => {
    await openFunded(server, 'pair', 100_000)
    const posted = await spend(server, 'pair', 5_000)
    assert.deepEqual(
      { ...posted, transactionId: 0 },
      { posted: true, transactionId: 0, balanceCents: 95_000, repeated: false }
    )
    const history = await app.ledger.history(db, 'pair', 10)
    assert.deepEqual(
      history.map(({ type, amountCents, balanceAfterCents }) => [type, amountCents, balanceAfterCents]),
      [
        ['spend', -5_000, 95_000],
        ['earn', 100_000, 100_000]
      ]
    )
    const entries = await db
      .selectFrom('ledger_entries')
      .select(['account', 'amount_cents'])
      .where('transaction_id', '=', history[0]?.transactionId ?? 0)
      .orderBy('account')
      .execute()
    assert.deepEqual(entries, [
      { account: 'system:spend', amount_cents: 5_000 },
      { account: 'wallet:pair', amount_cents: -5_000 }
    ])
  })

  await t.test('a spend above the balance is not booked and leaves nothing behind', async () => {
    await openFunded(server, 'poor', 1_000)
    const before = await verifyLedger(db)
    assert.deepEqual(await spend(server, 'poor', 1_001), { posted: false, balanceCents: 1_000 })
    assert.deepEqual(await verifyLedger(db), before)
  })

  await t.test('200 parallel spends of 10 on 1,000 credits give exactly 100 successes and the balance 0', async () => {
    await openFunded(server, 'crowd', 100_000)
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => spend(server, 'crowd', 1_000)))
    assert.equal(outcomes.filter(({ posted }) => posted).length, 100)
    assert.equal(await app.ledger.balance(db, 'crowd'), 0)
  })

  await t.test('one reference is booked once, even under concurrency', async () => {
    await openFunded(server, 'once', 100_000)
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => spend(server, 'once', 1_000, 'approval:1')))
    assert.equal(outcomes.filter((outcome) => outcome.posted && !outcome.repeated).length, 1)
    assert.equal(new Set(outcomes.map((outcome) => outcome.posted && outcome.transactionId)).size, 1)
    assert.equal(await app.ledger.balance(db, 'once'), 99_000)
    await assert.rejects(spend(server, 'once', 2_000, 'approval:1'), /another content/)
  })

  await t.test('bookings cannot be changed or deleted', async () => {
    await openFunded(server, 'stone', 100)
    for (const statement of [
      sql`update ledger_entries set amount_cents = amount_cents * 2`,
      sql`delete from ledger_entries`,
      sql`truncate ledger_entries`,
      sql`update ledger_transactions set description = 'another'`,
      sql`delete from ledger_transactions`,
      sql`truncate ledger_transactions cascade`,
      sql`update ledger_wallets set balance_cents = 1000000 where wallet_id = 'stone'`,
      sql`delete from ledger_wallets where wallet_id = 'stone'`,
      sql`insert into ledger_wallets (wallet_id, balance_cents, created_at) values ('rich', 5, now())`
    ]) {
      await assert.rejects(statement.execute(db), /The ledger refuses/)
    }
    assert.equal(await app.ledger.balance(db, 'stone'), 100)
  })

  await t.test('the database itself rejects entries that do not sum to zero, and a wallet below zero', async () => {
    await openFunded(server, 'bent', 100)
    const insert = (amounts: [number, number]) =>
      transact(db, async (trx) => {
        const { id } = await trx
          .insertInto('ledger_transactions')
          .values({ type: 'adjustment', description: 'by hand', reference: null, created_at: clock.now() })
          .returning('id')
          .executeTakeFirstOrThrow()
        await trx
          .insertInto('ledger_entries')
          .values([
            { transaction_id: id, account: 'wallet:bent', wallet_id: 'bent', amount_cents: amounts[0] },
            { transaction_id: id, account: 'system:adjustment', wallet_id: null, amount_cents: amounts[1] }
          ])
          .execute()
      })
    await assert.rejects(insert([50, -49]), /do not sum to zero/)
    await assert.rejects(insert([-101, 101]), /ledger_wallet_not_below_zero/)
    await insert([-100, 100])
    assert.equal(await app.ledger.balance(db, 'bent'), 0)
  })

  await t.test('the server books at the time of its clock, and returns data as stored', async () => {
    await openFunded(server, 'told', 500)
    const spent = await spend(server, 'told', 200)
    assert.ok(spent.posted)
    const [row] = await app.ledger.history(db, 'told', 1)
    assert.deepEqual([row?.transactionId, row?.createdAt], [spent.transactionId, clock.now()])
    assert.deepEqual(await app.ledger.movement(db, spent.transactionId), {
      amountCents: -200,
      balanceAfterCents: 300
    })
    assert.deepEqual(await app.ledger.balances(db, ['told', 'nowhere']), new Map([['told', 300]]))
    assert.equal(await transact(db, (trx) => app.ledger.lockBalance(trx, 'told')), 300)
    assert.equal(await app.ledger.balance(db, 'nowhere'), undefined)
    const wallet = await db
      .selectFrom('ledger_wallets')
      .select('created_at')
      .where('wallet_id', '=', 'told')
      .executeTakeFirstOrThrow()
    assert.deepEqual(wallet.created_at, clock.now())
  })

  const health = async () =>
    (await send(server.url, 'GET', '/api/v1/health')).body as {
      status: string
      checks: Record<string, { status: string; at: string }>
    }
  const kept = async () => {
    const { detail } = await db
      .selectFrom('check_results')
      .select('detail')
      .where('name', '=', 'ledger')
      .executeTakeFirstOrThrow()
    return JSON.parse(detail) as { faults: { where: string }[]; wallets: number; transactions: number; entries: number }
  }

  await t.test('the check runs once a day, and health shows its result', async () => {
    await app.jobs.run(ledgerCheckJob)
    const first = clock.now().toISOString()
    assert.deepEqual((await health()).checks.ledger, { status: 'ok', at: first })
    const { faults, ...counts } = await verifyLedger(db)
    assert.deepEqual([await kept(), faults], [{ ...counts, faults: [] }, []])
    clock.advance(24 * 3_600_000 - 1)
    await app.jobs.run(ledgerCheckJob)
    assert.equal((await health()).checks.ledger?.at, first)
    clock.advance(1)
    await app.jobs.run(ledgerCheckJob)
    assert.equal((await health()).checks.ledger?.at, clock.now().toISOString())
    assert.deepEqual(logged, [])
  })

  await t.test(
    'the check finds tampering with guards disabled, reports it, and keeps the first twenty faults',
    async () => {
      await sql`alter table ledger_wallets disable trigger user`.execute(db)
      await sql`update ledger_wallets set balance_cents = balance_cents + 7 where wallet_id = 'stone'`.execute(db)
      await sql`alter table ledger_wallets enable trigger user`.execute(db)
      await sql`alter table ledger_wallets disable trigger ledger_wallets_moved_by_entries`.execute(db)
      assert.deepEqual(
        (await verifyLedger(db)).faults.map(({ where }) => where),
        [
          'wallet stone: the balance is 107 cents, the entries sum to 100',
          'trigger ledger_wallets_moved_by_entries is disabled'
        ]
      )
      await sql`alter table ledger_wallets disable trigger user`.execute(db)
      await sql`insert into ledger_wallets (wallet_id, balance_cents, created_at) select 'bent-' || n, 1, now() from generate_series(1, 30) as n`.execute(
        db
      )
      clock.advance(24 * 3_600_000)
      await app.jobs.run(ledgerCheckJob)
      const after = await health()
      assert.deepEqual([after.status, after.checks.ledger?.status], ['degraded', 'failed'])
      const { faults } = await verifyLedger(db)
      assert.deepEqual((await kept()).faults, faults.slice(0, 20))
      assert.match(logged.join(''), /ledger verification failed/)
      assert.match(logged.join(''), /wallet bent-30: the balance is 1 cents/, 'the log contains all faults')
    }
  )
})
