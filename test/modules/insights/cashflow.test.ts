import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { createPartner, send, type TestPartner } from '../../credentials.ts'
import { startApp } from '../../build-app.ts'

const { url, database, app } = await startApp(t)

const link = async ({ testKey: key }: TestPartner, userId: string, institution_id?: string): Promise<void> => {
  const body = institution_id === undefined ? {} : { institution_id }
  const made = await send(url, 'POST', '/v1/sandbox/public_token', { key, body })
  const linked = await send(url, 'POST', '/v1/accounts/link', {
    key,
    body: { public_token: made.body.public_token, user_id: userId }
  })
  assert.equal(linked.status, 200, linked.text)
}
const cashflow = async (key: string, query = '') => await send(url, 'GET', `/v1/insights/cashflow${query}`, { key })

test('user_id is optional with a single end-user, and the forecast covers the next 30 days', async () => {
  const partner = await createPartner(database)
  await link(partner, 'usr_8M2nQ')
  const { status, body } = await cashflow(partner.testKey)
  assert.equal(status, 200)
  assert.deepEqual(
    [body.user_id, body.horizon_days, body.stale, body.iso_currency_code],
    ['usr_8M2nQ', 30, false, 'USD']
  )
  assert.deepEqual([body.daily.length, body.daily[0].date, body.daily[29].date], [30, '2026-06-15', '2026-07-14'])
  const lowest = Math.min(...body.daily.map((day: { projected_balance: number }) => day.projected_balance))
  assert.equal(body.projected_min_balance, lowest)
  assert.equal(
    body.daily.find((day: { projected_balance: number }) => day.projected_balance === lowest).date,
    body.projected_min_date
  )
  for (const { low, projected_balance, high } of body.daily)
    assert.ok(low <= projected_balance && projected_balance <= high)
  for (const { next_date, amount } of body.recurring) assert.ok(next_date > '2026-06-14' && amount > 0)
  assert.ok(body.recurring.length > 0)
  assert.deepEqual(
    body.shortfalls.map(({ date }: { date: string }) => date),
    body.daily
      .filter((day: { projected_balance: number }) => day.projected_balance < 0)
      .map(({ date }: { date: string }) => date)
  )
  assert.equal((await cashflow(partner.testKey, '?horizon_days=7&user_id=usr_8M2nQ')).body.daily.length, 7)
})

test('the forecast starts at the spendable balance, or at the last known one marked as stale', async () => {
  const partner = await createPartner(database)
  await link(partner, 'usr_1')
  const { body: listed } = await send(url, 'GET', '/v1/accounts?user_id=usr_1', { key: partner.testKey })
  const cash = listed.accounts.filter(({ subtype }: { subtype: string }) =>
    ['checking', 'savings', 'money market'].includes(subtype)
  )
  const cents = cash.reduce(
    (sum: number, account: { available_balance: number | null; current_balance: number }) =>
      sum + Math.round((account.available_balance ?? account.current_balance) * 100),
    0
  )
  assert.equal((await cashflow(partner.testKey)).body.current_balance, cents / 100)
  app.simulators.plaid?.faults.next('/accounts/balance/get', 'INTERNAL_SERVER_ERROR', 10)
  const { status, body } = await cashflow(partner.testKey)
  app.simulators.plaid?.faults.clear()
  assert.deepEqual([status, body.stale, body.current_balance], [200, true, cents / 100])
})

test('a forecast exists right after linking, before any background sync', async () => {
  const release = await database.locks.tryAcquire('job sync items that changed')
  const partner = await createPartner(database)
  await link(partner, 'usr_new')
  const { status, body } = await cashflow(partner.testKey)
  await release?.()
  assert.deepEqual([status, body.stale], [200, false])
})

test('an unavailable bank gives 502 without stored transactions, otherwise a forecast marked as stale', async () => {
  const release = await database.locks.tryAcquire('job sync items that changed')
  const partner = await createPartner(database)
  await link(partner, 'usr_down')
  app.simulators.plaid?.faults.next('/transactions/sync', 'INTERNAL_SERVER_ERROR', 100)
  const never = await cashflow(partner.testKey)
  assert.deepEqual([never.status, never.body.error], [502, 'upstream_unavailable'])
  app.simulators.plaid?.faults.clear()
  assert.equal((await cashflow(partner.testKey)).body.stale, false)
  app.simulators.plaid?.faults.next('/transactions/sync', 'INTERNAL_SERVER_ERROR', 100)
  const { status, body } = await cashflow(partner.testKey)
  app.simulators.plaid?.faults.clear()
  await release?.()
  assert.deepEqual([status, body.stale], [200, true])
})

test('user_id is required with several end-users, and without any the history is insufficient', async () => {
  const partner = await createPartner(database)
  const none = await cashflow(partner.testKey)
  assert.equal(none.status, 422)
  assert.deepEqual([none.body.error, none.body.days, none.body.required], ['insufficient_history', 0, 14])
  assert.equal((await cashflow(partner.testKey, '?user_id=usr_unknown')).body.error, 'insufficient_history')
  await link(partner, 'usr_1')
  await link(partner, 'usr_2')
  const several = await cashflow(partner.testKey)
  assert.equal(several.status, 400)
  assert.deepEqual(
    several.body.errors.map((error: { path: string }) => error.path),
    ['query/user_id']
  )
  assert.equal((await cashflow(partner.testKey, '?user_id=usr_2')).status, 200)
})

test('a forecast is private to its partner, requires insights:read, and has a bounded horizon', async () => {
  const [own, other] = [await createPartner(database), await createPartner(database)]
  await link(own, 'usr_1')
  assert.equal((await cashflow(other.testKey, '?user_id=usr_1')).status, 422)
  assert.equal((await cashflow(await own.token(['insights:read']))).status, 200)
  assert.equal((await cashflow(await own.token(['accounts:read']))).body.missingScope, 'insights:read')
  assert.equal((await cashflow(own.testKey, '?horizon_days=366')).body.daily.length, 366)
  for (const days of ['0', '367', '1.5', 'many']) {
    assert.deepEqual((await cashflow(own.testKey, `?horizon_days=${days}`)).body.errors[0].path, 'query/horizon_days')
  }
})

test('a forecast of any unruly bank is sound, in the currency of the request', async () => {
  for (const institution of ['ins_900001', 'ins_900002', 'ins_900003', 'ins_900004', 'ins_900005', 'ins_900007']) {
    const partner = await createPartner(database)
    await link(partner, 'usr_1', institution)
    const { status, body, text } = await cashflow(partner.testKey)
    if (institution === 'ins_900005') assert.ok([200, 422].includes(status), text)
    else assert.equal(status, 200, `${institution} ${text}`)
    if (status !== 200) continue
    for (const { low, projected_balance, high } of body.daily)
      assert.ok(low <= projected_balance && projected_balance <= high)
    for (const { evidence, assumptions } of [...body.recurring, ...body.alerts]) {
      assert.ok(evidence.length > 0 && evidence.every((id: string) => id.startsWith('txn_')))
      assert.ok(assumptions.length > 0)
    }
    const again = await cashflow(partner.testKey, `?currency=${body.iso_currency_code}`)
    assert.deepEqual(again.body.daily, body.daily)
    assert.equal((await cashflow(partner.testKey, '?currency=XTS')).body.error, 'insufficient_history')
  }
})

test('an unknown currency code gives 400', async () => {
  const partner = await createPartner(database)
  for (const currency of ['usd', 'US', 'DOLLAR', ''])
    assert.equal((await cashflow(partner.testKey, `?currency=${currency}`)).status, 400)
})
