import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ACHClass, TransferNetwork, TransferType } from 'plaid'
import type { PlaidApi, TransferEvent } from 'plaid'
import { test } from 'tap'
import { buildSimulator, days, hours, link, receiveWebhooks, refusal } from './build-simulator.ts'

type Linked = Awaited<ReturnType<typeof link>>

const authorize = async (
  plaid: PlaidApi,
  item: Pick<Linked, 'accessToken'>,
  accountId: string,
  amount: string,
  more: { key?: string; type?: TransferType; network?: TransferNetwork } = {}
) => {
  const type = more.type ?? TransferType.Debit
  const network = more.network ?? TransferNetwork.Ach
  const { data } = await plaid.transferAuthorizationCreate({
    access_token: item.accessToken,
    account_id: accountId,
    type,
    network,
    amount,
    ...(network === TransferNetwork.Rtp
      ? {}
      : { ach_class: type === TransferType.Debit ? ACHClass.Web : ACHClass.Ppd }),
    user: { legal_name: 'Anne Charleston' },
    ...(more.key === undefined ? {} : { idempotency_key: more.key })
  })
  return data.authorization
}

const create = async (plaid: PlaidApi, item: Linked, authorizationId: string, mask = '0000') =>
  (
    await plaid.transferCreate({
      access_token: item.accessToken,
      account_id: item.account(mask).account_id,
      authorization_id: authorizationId,
      description: 'payment'
    })
  ).data.transfer

const eventsAfter = async (plaid: PlaidApi, afterId: number, count: number): Promise<TransferEvent[]> => {
  const events: TransferEvent[] = []
  for (let more = true; more;) {
    const { data } = await plaid.transferEventSync({ after_id: events.at(-1)?.event_id ?? afterId, count })
    events.push(...data.transfer_events)
    more = data.has_more
  }
  return events
}

test('decisions follow Plaid: a debit requires funds, a credit none, a broken login requires its user', async (t) => {
  const { plaid, simulator } = await buildSimulator(t)
  const item = await link(plaid)
  const checking = item.account('0000').account_id
  const approved = await authorize(plaid, item, checking, '100.00')
  assert.deepEqual([approved.decision, approved.decision_rationale], ['approved', null])
  const short = await authorize(plaid, item, checking, '100.01')
  assert.deepEqual([short.decision, short.decision_rationale?.code], ['declined', 'NSF'])
  assert.equal(
    (await authorize(plaid, item, checking, '5000.00', { type: TransferType.Credit, network: TransferNetwork.Rtp }))
      .decision,
    'approved'
  )
  const declined = await refusal(create(plaid, item, short.id))
  assert.equal(declined.error_code, 'INVALID_FIELD')

  await plaid.sandboxItemResetLogin({ access_token: item.accessToken })
  const stuck = await authorize(plaid, item, checking, '1.00', { key: 'again' })
  assert.deepEqual([stuck.decision, stuck.decision_rationale?.code], ['user_action_required', 'ITEM_LOGIN_REQUIRED'])
  await simulator.repairLogin(item.itemId)
  assert.equal((await authorize(plaid, item, checking, '1.00', { key: 'again' })).decision, 'approved')
})

test('an impossible transfer is rejected before any decision', async (t) => {
  const { plaid } = await buildSimulator(t)
  const item = await link(plaid)
  const code = async (mask: string, amount: string, more = {}) =>
    (await refusal(authorize(plaid, item, item.account(mask).account_id, amount, more))).error_code
  assert.equal(await code('3333', '1.00'), 'TRANSFER_UNSUPPORTED_ACCOUNT_TYPE')
  assert.equal(await code('0000', '1'), 'INVALID_FIELD')
  assert.equal(await code('0000', '-1.00'), 'INVALID_FIELD')
  assert.equal(await code('0000', '0.00'), 'INVALID_FIELD')
  assert.equal(await code('0000', '1.00', { network: TransferNetwork.Rtp }), 'INVALID_FIELD')
  assert.equal((await refusal(authorize(plaid, item, 'unknown', '1.00'))).error_code, 'INVALID_ACCOUNT_ID')
})

test('one key gives one authorization and at most one transfer, even under concurrent retries', async (t) => {
  const { plaid, clock } = await buildSimulator(t)
  const item = await link(plaid)
  const checking = item.account('0000').account_id
  const authorizations = await Promise.all(
    Array.from({ length: 5 }, () => authorize(plaid, item, checking, '20.00', { key: 'k1' }))
  )
  assert.equal(new Set(authorizations.map(({ id }) => id)).size, 1)
  const id = authorizations[0]?.id ?? ''
  const before = await eventsAfter(plaid, 0, 500)
  const transfers = await Promise.all(Array.from({ length: 5 }, () => create(plaid, item, id)))
  assert.equal(new Set(transfers.map((transfer) => transfer.id)).size, 1)
  assert.equal((await eventsAfter(plaid, before.at(-1)?.event_id ?? 0, 500)).length, 1)
  clock.advance(hours(2))
  assert.equal((await create(plaid, item, id)).id, transfers[0]?.id)
  const late = await authorize(plaid, item, checking, '20.00')
  clock.advance(hours(1))
  assert.equal((await refusal(create(plaid, item, late.id))).error_code, 'INVALID_FIELD')
  clock.advance(hours(48))
  assert.notEqual((await authorize(plaid, item, checking, '20.00', { key: 'k1' })).id, id)
})

test("a transfer takes only Plaid's legal steps, and every step is one event with a greater id", async (t) => {
  const { plaid } = await buildSimulator(t)
  const item = await link(plaid)
  const legal: Record<string, string[]> = {
    pending: ['posted', 'failed'],
    posted: ['settled', 'returned'],
    settled: ['funds_available']
  }
  const wanted = fc.constantFrom('pending', 'posted', 'settled', 'funds_available', 'failed', 'returned', 'cancelled')
  await fc.assert(
    fc.asyncProperty(
      fc.array(wanted, { maxLength: 6 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 3 }),
      async (steps, debit, count) => {
        const last = (await eventsAfter(plaid, 0, 500)).at(-1)?.event_id ?? 0
        const authorization = await authorize(plaid, item, item.account('0000').account_id, '10.00', {
          type: debit ? TransferType.Debit : TransferType.Credit
        })
        const transfer = await create(plaid, item, authorization.id)
        const taken = ['pending']
        for (const step of steps) {
          const status = taken.at(-1) ?? ''
          const may = (legal[status] ?? []).includes(step) && (step !== 'funds_available' || debit)
          const call = plaid.sandboxTransferSimulate({ transfer_id: transfer.id, event_type: step })
          if (may) {
            await call
            taken.push(step)
          } else {
            assert.equal((await refusal(call)).error_code, 'SANDBOX_TRANSFER_EVENT_TRANSITION_INVALID')
          }
        }
        const events = await eventsAfter(plaid, last, count)
        assert.deepEqual(
          events.map((event) => event.event_type),
          taken
        )
        assert.deepEqual(
          events.map((event) => event.event_id),
          taken.map((_, i) => last + 1 + i)
        )
        assert.equal((await plaid.transferGet({ transfer_id: transfer.id })).data.transfer.status, taken.at(-1))
        assert.equal(events.at(-1)?.failure_reason?.failure_code ?? null, taken.at(-1) === 'returned' ? 'R01' : null)
      }
    ),
    { numRuns: 15 }
  )
})

test('a transfer can be cancelled only while it is pending', async (t) => {
  const { plaid } = await buildSimulator(t)
  const item = await link(plaid)
  const make = async () =>
    await create(plaid, item, (await authorize(plaid, item, item.account('0000').account_id, '10.00')).id)
  const cancelled = await make()
  await plaid.transferCancel({ transfer_id: cancelled.id })
  assert.equal((await plaid.transferGet({ transfer_id: cancelled.id })).data.transfer.status, 'cancelled')
  assert.equal(
    (await refusal(plaid.transferCancel({ transfer_id: cancelled.id }))).error_code,
    'TRANSFER_NOT_CANCELLABLE'
  )
  const posted = await make()
  await plaid.sandboxTransferSimulate({ transfer_id: posted.id, event_type: 'posted' })
  assert.equal((await refusal(plaid.transferCancel({ transfer_id: posted.id }))).error_code, 'TRANSFER_NOT_CANCELLABLE')
})

test('transfers advance by themselves on business days with autosettle, and not at all without it', async (t) => {
  const { plaid, clock } = await buildSimulator(t, { autosettle: true })
  const item = await link(plaid)
  const last = (await eventsAfter(plaid, 0, 500)).at(-1)?.event_id ?? 0
  const transfer = await create(
    plaid,
    item,
    (await authorize(plaid, item, item.account('0000').account_id, '10.00')).id
  )
  clock.advance(hours(1))
  assert.equal((await plaid.transferGet({ transfer_id: transfer.id })).data.transfer.status, 'pending')
  clock.advance(days(10))
  const events = await eventsAfter(plaid, last, 2)
  assert.deepEqual(
    events.map((event) => [event.event_type, event.timestamp.slice(0, 10)]),
    [
      ['pending', '2026-03-10'],
      ['posted', '2026-03-11'],
      ['settled', '2026-03-12'],
      ['funds_available', '2026-03-17']
    ]
  )

  const still = await buildSimulator(t)
  const other = await link(still.plaid)
  const waiting = await create(
    still.plaid,
    other,
    (await authorize(still.plaid, other, other.account('0000').account_id, '10.00')).id
  )
  still.clock.advance(days(10))
  assert.equal((await still.plaid.transferGet({ transfer_id: waiting.id })).data.transfer.status, 'pending')
})

test('an account given by its numbers can be paid, and the same numbers give the same account', async (t) => {
  const { plaid } = await buildSimulator(t)
  const numbers = { account_number: '100000000123', routing_number: '121122676', account_type: 'checking' }
  const { data } = await plaid.transferMigrateAccount(numbers)
  const again = (await plaid.transferMigrateAccount(numbers)).data
  assert.deepEqual([again.access_token, again.account_id], [data.access_token, data.account_id])
  const authorization = await authorize(plaid, { accessToken: data.access_token }, data.account_id, '75.00', {
    type: TransferType.Credit
  })
  assert.deepEqual(
    [authorization.decision, authorization.decision_rationale?.code],
    ['approved', 'MIGRATED_ACCOUNT_ITEM']
  )
  const { accounts } = (await plaid.accountsGet({ access_token: data.access_token })).data
  assert.deepEqual(
    accounts.map((account) => account.mask),
    ['0123']
  )
})

test('every step calls the transfer webhook', async (t) => {
  const { url, received } = await receiveWebhooks(t)
  const { plaid, simulator } = await buildSimulator(t, { transferWebhookUrl: () => url })
  const item = await link(plaid)
  const transfer = await create(
    plaid,
    item,
    (await authorize(plaid, item, item.account('0000').account_id, '10.00')).id
  )
  await plaid.sandboxTransferSimulate({ transfer_id: transfer.id, event_type: 'posted' })
  await simulator.settled()
  assert.deepEqual(
    received.map(({ body }) => body),
    Array(2).fill({ webhook_type: 'TRANSFER', webhook_code: 'TRANSFER_EVENTS_UPDATE', environment: 'sandbox' })
  )
})
