import assert from 'node:assert/strict'
import type { PlaidApi, Transaction } from 'plaid'
import { t, test } from 'tap'
import { behaviours, openBank, type Behaviour } from '../../../simulators/plaid/index.ts'
import { buildSimulator, days, link, refusal } from './build-simulator.ts'

const { plaid, clock, simulator } = await buildSimulator(t)

let banks = 0
const open = (...own: Behaviour[]): string => openBank(`behaviours_${++banks}`, own)

const readAll = async (api: PlaidApi, access_token: string): Promise<Transaction[]> => {
  const rows: Transaction[] = []
  for (let cursor = ''; ;) {
    const { data } = await api.transactionsSync({ access_token, cursor, count: 500 })
    rows.push(...data.added)
    if (!data.has_more) return rows
    cursor = data.next_cursor
  }
}

const historyOf = async (...own: Behaviour[]): Promise<Transaction[]> => {
  const { accessToken } = await link(plaid, { institution: open(...own) })
  return await readAll(plaid, accessToken)
}

const strip = (rows: Transaction[]) =>
  rows.filter(({ pending }) => !pending).map(({ date, amount, name }) => [date, amount, name])

const weekday = (date: string) => new Date(date).getUTCDay()

test('a person at an unruly bank has the same transactions in every item, and another person others', async () => {
  const institution = open(behaviours.lateBills)
  const read = async (username: string) =>
    strip(await readAll(plaid, (await link(plaid, { institution, username })).accessToken))
  const first = await read('user_good')
  assert.deepEqual(await read('user_good'), first)
  assert.notDeepEqual(await read('user_other'), first)
})

test('bills come every three, six and twelve months, and every three and five weeks', async () => {
  const rows = await historyOf(behaviours.sparseBills)
  const gapsOf = (name: string) => {
    const dates = rows.filter((row) => row.name === name).map(({ date }) => Date.parse(date))
    return dates.slice(1).map((at, index) => Math.round((at - (dates[index] ?? 0)) / days(1)))
  }
  assert.ok(gapsOf('RIVERSIDE WATER BOARD').every((gap) => gap >= 89 && gap <= 92))
  assert.ok(gapsOf('BEACON HOME INSURANCE').every((gap) => gap >= 181 && gap <= 184))
  assert.deepEqual(new Set(gapsOf('BRIGHTSIDE CLEANING')), new Set([21]))
  assert.deepEqual(new Set(gapsOf('CORNER MUSIC SCHOOL')), new Set([35]))
})

test('bills are moved off weekends and holidays, and come late and early', async () => {
  const onTime = (await historyOf(behaviours.twoPolicies)).filter(({ name }) => name === 'HARBOR MUTUAL PREMIUM')
  const daysOfMonth = (rows: Transaction[]) => new Set(rows.map(({ date }) => Number(date.slice(8))))
  assert.equal(daysOfMonth(onTime).size, 2, 'two policies, each on its day')
  assert.equal(new Set(onTime.map(({ amount }) => amount)).size, 2)
  const moved = await historyOf(behaviours.twoPolicies, behaviours.weekendShifts)
  const bills = moved.filter(({ name }) => name === 'HARBOR MUTUAL PREMIUM')
  assert.ok(bills.every(({ date }) => ![0, 6].includes(weekday(date)) && date.slice(5) !== '12-25'))
  assert.ok(daysOfMonth(bills).size > 2)
  const late = (await historyOf(behaviours.twoPolicies, behaviours.lateBills)).filter(
    ({ name }) => name === 'HARBOR MUTUAL PREMIUM'
  )
  assert.ok(daysOfMonth(late).size > 4)
})

test('descriptions have months and changing numbers in English, German and Spanish', async () => {
  for (const [behaviour, pattern] of [
    [behaviours.englishLines, /^RENT (JAN|FEB|MAR) 20\d\d REF \d+$/],
    [behaviours.germanLines, /^Miete (Januar|Februar|März) 20\d\d Mandat \d+ Danke$/],
    [behaviours.spanishLines, /^RECIBO ALQUILER (enero|febrero|marzo) 20\d\d N.º \d+$/]
  ] as const) {
    const lines = (await historyOf(behaviour)).filter(({ name }) => pattern.test(name))
    assert.ok(lines.length >= 4)
    assert.equal(new Set(lines.map(({ name }) => name)).size, lines.length)
    assert.ok(lines.every(({ merchant_name }) => merchant_name === null))
  }
})

test('there are refunds, tips on pending payments, holds that vanish, and pending payments of the future', async () => {
  const refunded = await historyOf(behaviours.refunds)
  assert.ok(refunded.some(({ name, amount }) => name.endsWith('REFUND') && amount < 0))
  const { accessToken } = await link(plaid, {
    institution: open(behaviours.tips, behaviours.lostHolds, behaviours.futurePending)
  })
  const shown = new Map((await readAll(plaid, accessToken)).map((row) => [row.transaction_id, row]))
  const today = clock.now().toISOString().slice(0, 10)
  assert.ok([...shown.values()].some(({ pending, date }) => pending && date > today))
  let { next_cursor: cursor } = (await plaid.transactionsSync({ access_token: accessToken, cursor: 'now' })).data
  let tips = 0
  const vanished = new Set<string>()
  for (let step = 0; step < 60; step++) {
    clock.advance(days(0.25))
    const { data } = await plaid.transactionsSync({ access_token: accessToken, cursor, count: 500 })
    cursor = data.next_cursor
    for (const row of data.modified)
      if (row.pending && row.amount > (shown.get(row.transaction_id)?.amount ?? 0)) tips++
    for (const row of [...data.added, ...data.modified]) shown.set(row.transaction_id, row)
    for (const { transaction_id } of data.removed) vanished.add(transaction_id)
    for (const { pending_transaction_id } of data.added) vanished.delete(pending_transaction_id ?? '')
  }
  assert.ok(tips > 0)
  assert.ok(vanished.size > 0)
})

test('cursors are refused after some days, with the error of a cursor of another item', async () => {
  const { accessToken } = await link(plaid, { institution: open(behaviours.refusedCursors) })
  const { data } = await plaid.transactionsSync({ access_token: accessToken, count: 500, cursor: 'now' })
  clock.advance(days(1))
  await plaid.transactionsSync({ access_token: accessToken, cursor: data.next_cursor })
  clock.advance(days(5))
  const refused = await refusal(plaid.transactionsSync({ access_token: accessToken, cursor: data.next_cursor }))
  assert.deepEqual([refused.status, refused.error_type, refused.error_code], [400, 'INVALID_REQUEST', 'INVALID_FIELD'])
  await plaid.transactionsSync({ access_token: accessToken })
})

test('odd records are some of the records, and the bank’s truth is what is left', async () => {
  const { accessToken, itemId } = await link(plaid, { institution: open(behaviours.oddRecords) })
  const sent = await readAll(plaid, accessToken)
  const truth = new Set((await simulator.truthOf(itemId)).map(({ transaction_id }) => transaction_id))
  assert.ok(sent.length > truth.size + 10)
  assert.ok(truth.size > 0.9 * sent.length)
})
