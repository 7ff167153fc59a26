import assert from 'node:assert/strict'
import fc from 'fast-check'
import { SandboxItemFireWebhookRequestWebhookCodeEnum as Code } from 'plaid'
import type { PlaidApi, Transaction } from 'plaid'
import { test } from 'tap'
import { livesOfDay } from '../../../simulators/plaid/history/generator.ts'
import { changesOf } from '../../../simulators/plaid/history/life.ts'
import type { Life } from '../../../simulators/plaid/history/life.ts'
import { profileOf } from '../../../simulators/plaid/history/profile.ts'
import { historyBetween } from '../../../simulators/plaid/index.ts'
import { buildSimulator, days, hours, link, receiveWebhooks, refusal } from './build-simulator.ts'

/** What a client knows after following the feed. */
interface Followed {
  cursor: string
  known: Map<string, Transaction>
  /** How often each pending row was reported as replaced. */
  replaced: Map<string, number>
}

const start = (): Followed => ({ cursor: '', known: new Map(), replaced: new Map() })

/** Follows the feed to its end. Asserts that each page is consistent with the rows known so far. */
const follow = async (plaid: PlaidApi, accessToken: string, followed: Followed, count: number): Promise<void> => {
  for (let more = true; more;) {
    const { data } = await plaid.transactionsSync({ access_token: accessToken, cursor: followed.cursor, count })
    assert.ok(data.added.length + data.modified.length + data.removed.length <= count)
    for (const transaction of data.added) {
      assert.ok(!followed.known.has(transaction.transaction_id), 'added an existing row')
      followed.known.set(transaction.transaction_id, transaction)
      const pendingId = transaction.pending_transaction_id
      if (pendingId !== null) followed.replaced.set(pendingId, (followed.replaced.get(pendingId) ?? 0) + 1)
    }
    for (const transaction of data.modified) {
      assert.ok(followed.known.has(transaction.transaction_id), 'modified an unknown row')
      followed.known.set(transaction.transaction_id, transaction)
    }
    for (const { transaction_id } of data.removed)
      assert.ok(followed.known.delete(transaction_id), 'removed an unknown row')
    followed.cursor = data.next_cursor
    more = data.has_more
  }
}

const sorted = (known: Map<string, Transaction>) =>
  [...known.values()].sort((a, b) => (a.transaction_id < b.transaction_id ? -1 : 1))

/** The feed for a client without a cursor, which has seen no pending versions of posted rows. */
const stateNow = async (plaid: PlaidApi, accessToken: string): Promise<Transaction[]> => {
  const fresh = start()
  await follow(plaid, accessToken, fresh, 500)
  return sorted(fresh.known)
}

test('applying all pages gives the current state, for any page size, pace and changes in between', async (t) => {
  const { plaid, clock } = await buildSimulator(t)
  const { url } = await receiveWebhooks(t)
  const { accessToken } = await link(plaid, { webhook: url, days: 60 })
  const step = fc.record({
    count: fc.integer({ min: 1, max: 500 }),
    advance: fc.integer({ min: 0, max: hours(100) }),
    news: fc.boolean()
  })
  const followed = start()
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
      for (const { count, advance, news } of steps) {
        clock.advance(advance)
        if (news)
          await plaid.sandboxItemFireWebhook({ access_token: accessToken, webhook_code: Code.SyncUpdatesAvailable })
        await follow(plaid, accessToken, followed, Math.max(count, followed.cursor === '' ? 20 : 1))
        assert.deepEqual(sorted(followed.known), await stateNow(plaid, accessToken))
      }
    }),
    { numRuns: 12 }
  )
})

test('a pending transaction is replaced at most once, by a posted one with another id, and removed', async (t) => {
  const { plaid, clock } = await buildSimulator(t)
  const { accessToken } = await link(plaid, { days: 30 })
  const followed = start()
  const pendingSeen = new Set<string>()
  for (let i = 0; i < 4 * 45; i++) {
    await follow(plaid, accessToken, followed, 500)
    for (const [id, transaction] of followed.known) if (transaction.pending) pendingSeen.add(id)
    clock.advance(hours(6))
  }
  assert.ok(pendingSeen.size > 20)
  assert.ok(followed.replaced.size > 20)
  for (const [pendingId, times] of followed.replaced) {
    assert.equal(times, 1)
    assert.ok(!followed.known.has(pendingId))
  }
})

test('payments change as at real banks: tips, new categories, released holds, removed duplicates', async () => {
  const profile = profileOf('somebody')
  const lives = Array.from({ length: 730 }, (_, i) => livesOfDay('somebody', profile, 20_000 + i)).flat()
  const some = (what: string, test: (life: Life) => boolean) => {
    const share = lives.filter(test).length / lives.length
    assert.ok(share > 0 && share < 0.2, `${what}: ${share}`)
  }
  some(
    'tips while pending',
    (life) => life.revision?.stage === 'pending' && life.revision.amountCents > life.amountCents
  )
  some('tips at posting', (life) => life.postedCents > life.amountCents && life.revision === null)
  some('new categories', (life) => life.revision?.stage === 'posted')
  some('released holds', (life) => life.postedAt === null)
  some('duplicates taken back', (life) => life.retractedAt !== null)
  for (const life of lives) {
    const linkedBefore = changesOf(life, 0)
    assert.deepEqual(
      linkedBefore.map((change) => change.at),
      linkedBefore.map((change) => change.at).sort((a, b) => a - b)
    )
    assert.equal(
      linkedBefore.filter((change) => change.version.stage === 'pending' && change.kind === 'removed').length,
      life.pendingAt === null ? 0 : 1
    )
    // Linked long afterwards: no trace of pending stages or removed duplicates.
    assert.ok(
      changesOf(life, Number.MAX_SAFE_INTEGER).every(
        (change) => change.version.stage === 'posted' && !change.version.replacesPending
      )
    )
  }
})

test('two changes at the same instant are both reported, each once', async (t) => {
  const { plaid } = await buildSimulator(t)
  const { url } = await receiveWebhooks(t)
  const { accessToken } = await link(plaid, { webhook: url, days: 1 })
  const followed = start()
  await follow(plaid, accessToken, followed, 500)
  for (let i = 0; i < 3; i++) {
    const before = followed.known.size
    await plaid.sandboxItemFireWebhook({ access_token: accessToken, webhook_code: Code.SyncUpdatesAvailable })
    await follow(plaid, accessToken, followed, 2)
    assert.ok(followed.known.size >= before + 3)
    assert.deepEqual(sorted(followed.known), await stateNow(plaid, accessToken))
  }
})

test('a cursor is stable without changes, belongs to its item, and is rejected when unknown', async (t) => {
  const { plaid } = await buildSimulator(t)
  const one = await link(plaid)
  const other = await link(plaid)
  const followed = start()
  await follow(plaid, one.accessToken, followed, 500)
  const again = (await plaid.transactionsSync({ access_token: one.accessToken, cursor: followed.cursor })).data
  assert.deepEqual(
    [again.added, again.modified, again.removed, again.has_more, again.next_cursor],
    [[], [], [], false, followed.cursor]
  )
  for (const call of [
    plaid.transactionsSync({ access_token: other.accessToken, cursor: followed.cursor }),
    plaid.transactionsSync({ access_token: one.accessToken, cursor: 'bm90IG91cnM=' })
  ])
    assert.equal((await refusal(call)).error_code, 'INVALID_FIELD')
})

test('a change between two pages makes the client restart the pagination', async (t) => {
  const { plaid, clock } = await buildSimulator(t)
  const { accessToken } = await link(plaid)
  const first = (await plaid.transactionsSync({ access_token: accessToken, count: 100 })).data
  assert.equal(first.has_more, true)
  const second = (await plaid.transactionsSync({ access_token: accessToken, count: 50, cursor: first.next_cursor }))
    .data
  assert.equal(second.added.length, 50)
  clock.advance(days(20))
  const refused = await refusal(plaid.transactionsSync({ access_token: accessToken, cursor: second.next_cursor }))
  assert.deepEqual(
    [refused.status, refused.error_type, refused.error_code],
    [400, 'TRANSACTIONS_ERROR', 'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION']
  )
  await follow(plaid, accessToken, start(), 500)
})

test('a history has 24 months of household transactions, oldest first, bounded by the days requested', async (t) => {
  const { plaid } = await buildSimulator(t)
  const whole = await link(plaid)
  const first = (await plaid.transactionsSync({ access_token: whole.accessToken, count: 500 })).data.added
  const state = await stateNow(plaid, whole.accessToken)
  assert.ok(state.length > 1_000)
  assert.deepEqual(
    first.map((row) => row.date),
    first.map((row) => row.date).sort()
  )
  assert.ok((first[0]?.date ?? '') < '2024-03-20')
  const of = (category: string) => state.filter((row) => row.personal_finance_category?.detailed === category)
  const months = new Set(of('RENT_AND_UTILITIES_RENT').map((row) => row.date.slice(0, 7)))
  assert.ok(
    months.size >= 24 && of('RENT_AND_UTILITIES_RENT').every((row) => row.date.endsWith('-01') && row.amount > 0)
  )
  const wages = of('INCOME_WAGES')
    .map((row) => row.date)
    .sort()
  assert.ok(wages.length >= 51)
  assert.ok(wages.every((date, i) => i === 0 || Date.parse(date) - Date.parse(wages[i - 1] ?? '') === days(14)))
  assert.ok(of('INCOME_WAGES').every((row) => row.amount < 0))
  const sent = of('TRANSFER_OUT_SAVINGS')
    .map((row) => `${row.date} ${row.amount}`)
    .sort()
  assert.deepEqual(
    of('TRANSFER_IN_SAVINGS')
      .map((row) => `${row.date} ${-row.amount}`)
      .sort(),
    sent
  )
  for (const category of [
    'FOOD_AND_DRINK_GROCERIES',
    'RENT_AND_UTILITIES_GAS_AND_ELECTRICITY',
    'LOAN_PAYMENTS_CREDIT_CARD_PAYMENT',
    'INCOME_INTEREST_EARNED',
    'FOOD_AND_DRINK_RESTAURANT'
  ])
    assert.ok(of(category).length > 20, category)

  const month = await link(plaid, { days: 30 })
  const recent = await stateNow(plaid, month.accessToken)
  assert.ok(recent.length > 20 && recent.every((row) => (row.authorized_date ?? row.date) >= '2026-02-08'))
})

test('the same seed gives the same history, and another seed a different one', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 1 }), async (seed) => {
      const history = historyBetween(seed, '2025-01-01', '2025-06-30')
      assert.deepEqual(historyBetween(seed, '2025-01-01', '2025-06-30'), history)
      assert.deepEqual(
        historyBetween(seed, '2025-03-01', '2025-03-31'),
        history.filter((row) => row.date >= '2025-03-01' && row.date <= '2025-03-31')
      )
      assert.equal(new Set(history.map((row) => row.transaction_id)).size, history.length)
      assert.notDeepEqual(historyBetween(`${seed}'`, '2025-01-01', '2025-06-30'), history)
    }),
    { numRuns: 25 }
  )
  // Two instances on one database return the same history.
  const first = await buildSimulator(t)
  const second = await buildSimulator(t, { db: first.db })
  const { accessToken } = await link(first.plaid, { days: 90 })
  assert.deepEqual(await stateNow(second.plaid, accessToken), await stateNow(first.plaid, accessToken))
})

test('a feed can be limited to one account, and its cursor is valid for that account', async (t) => {
  const { plaid } = await buildSimulator(t)
  const { accessToken, account } = await link(plaid)
  const accountId = account('1111').account_id
  const { data } = await plaid.transactionsSync({
    access_token: accessToken,
    count: 500,
    options: { account_id: accountId }
  })
  assert.ok(data.added.length > 50 && data.added.every((row) => row.account_id === accountId))
  assert.equal(
    (await refusal(plaid.transactionsSync({ access_token: accessToken, cursor: data.next_cursor }))).error_code,
    'INVALID_FIELD'
  )
  assert.equal(
    (await refusal(plaid.transactionsSync({ access_token: accessToken, options: { account_id: 'x' } }))).error_code,
    'INVALID_ACCOUNT_ID'
  )
})
