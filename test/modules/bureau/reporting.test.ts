import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { readLendingScore, recordOwnReport } from '../../../modules/bureau/index.ts'
import { readHistory } from '../../../modules/bureau/queries/events.ts'
import { findMiscounted } from '../../../modules/bureau/queries/recount.ts'
import { transact } from '../../../plugins/database/transaction.ts'
import { startApp } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'

const dayMs = 86_400_000
const { app, url, clock, database } = await startApp(t)
const { db } = database
const furnisher = await createPartner(database)
const owner = await createPartner(database)

const post = (path: string, body: object, key = furnisher.testKey) => send(url, 'POST', path, { key, body })
const enrol = (agent_id: string) => send(url, 'POST', '/v2/api/register', { body: { agent_id } })
const report = (agent_id: string, report_type: string, more: object = {}) =>
  post('/v2/api/report', { agent_id, reporter_name: 'R', reporter_platform: 'p', report_type, ...more })
const scoreOf = async (agentId: string) => (await send(url, 'GET', `/v2/api/score?agent_id=${agentId}`)).body

/** An agent with a wallet and a key. It belongs to the owner if requested. */
const register = async (agent_id: string, owned: boolean): Promise<string> => {
  const { body } = await send(url, 'POST', '/api/register', { body: { agent_id } })
  if (owned)
    await db
      .updateTable('agents')
      .set({ owner_user_id: owner.userId, owner_partner_id: owner.partnerId })
      .where('agent_id', '=', agent_id)
      .execute()
  await enrol(agent_id)
  return String(body.api_key)
}

const told = async () =>
  (
    await db
      .selectFrom('events')
      .select(['partner_id', 'data'])
      .where('type', '=', 'bureau.score_changed')
      .orderBy('position')
      .execute()
  ).map(({ partner_id, data }) => [partner_id, data])

test('the partner of an agent’s owner gets an event only for reports that change the score', async () => {
  await register('owned', true)
  await register('unowned', false)
  await enrol('without-a-wallet')
  for (const agent_id of ['owned', 'unowned', 'without-a-wallet']) {
    for (const kind of ['payment_ontime', 'debt_opened', 'account_closed'])
      assert.equal((await report(agent_id, kind)).status, 200)
  }
  const event = [owner.partnerId, { agent_id: 'owned' }]
  assert.deepEqual(await told(), [event])
  await report('owned', 'dispute')
  assert.deepEqual(await told(), [event, event])
})

test('the fifth account opened still changes the score, and the sixth does not', async () => {
  await register('collector', true)
  const before = (await told()).length
  for (let opened = 1; opened <= 6; opened++) {
    await report('collector', 'account_opened')
    assert.equal((await told()).length, before + Math.min(opened, 5))
  }
})

test('an agent cannot furnish the bureau with its own key', async () => {
  const key = await register('flattering', false)
  const attempts = [
    await post(
      '/v2/api/report',
      { agent_id: 'flattering', reporter_name: 'R', reporter_platform: 'p', report_type: 'payment_ontime' },
      key
    ),
    await post(
      '/v2/api/account',
      { action: 'open', agent_id: 'flattering', platform: 'p', account_type: 'credit' },
      key
    )
  ]
  for (const { status, body } of attempts) {
    assert.deepEqual([status, body.error], [403, 'self_report'])
    assert.match(body.detail, /partner key or a token with bureau:write/)
  }
  assert.equal((await scoreOf('flattering')).score, 500)
})

test('reports by this server name AtlasForge and no furnisher', async () => {
  await enrol('borrower')
  const wish = { agentId: 'borrower', reportType: 'payment_ontime' as const, amountCents: 5000, notes: 'loan 1' }
  assert.equal(await transact(db, (trx) => recordOwnReport(app, trx, wish)), 518)
  const [event] = await readHistory(db, 'borrower', 0, 10)
  const { id: _id, ...rest } = event ?? { id: 0 }
  assert.deepEqual(rest, {
    kind: 'payment_ontime',
    amountCents: 5000,
    accountId: null,
    reporterName: 'AtlasForge',
    reporterPlatform: 'loans',
    notes: 'loan 1',
    state: 'counted',
    createdAt: clock.now()
  })
  const { partner_id } = await db
    .selectFrom('bureau_events')
    .select('partner_id')
    .where('agent_id', '=', 'borrower')
    .executeTakeFirstOrThrow()
  assert.equal(partner_id, null)
  await assert.rejects(
    transact(db, (trx) => recordOwnReport(app, trx, { ...wish, agentId: 'nobody' })),
    { detail: 'Agent `nobody` is not enrolled. Enrol it with POST /v2/api/register.' }
  )
})

test('a history lists reports with their reporters, oldest first, in pages', async () => {
  await enrol('told-of')
  const { account_id } = (
    await post('/v2/api/account', {
      action: 'open',
      agent_id: 'told-of',
      platform: 'shop',
      account_type: 'credit',
      credit_limit: 12.34
    })
  ).body
  await report('told-of', 'debt_closed', { amount: 0.29, notes: 'paid' })
  await report('told-of', 'dispute')
  await report('borrower', 'dispute')
  await post('/v2/api/account', { action: 'close', agent_id: 'told-of', account_id })
  const history = await readHistory(db, 'told-of', 0, 10)
  assert.deepEqual(
    history.map((event) => [
      event.kind,
      event.amountCents,
      event.accountId,
      event.reporterName,
      event.reporterPlatform,
      event.notes
    ]),
    [
      ['credit_account_open', 1234, account_id, 'shop', 'shop', null],
      ['debt_closed', 29, null, 'R', 'p', 'paid'],
      ['dispute', null, null, 'R', 'p', null],
      ['credit_account_close', 1234, account_id, 'shop', 'shop', null]
    ]
  )
  assert.deepEqual(await readHistory(db, 'told-of', history[0]?.id ?? 0, 2), history.slice(1, 3))
  const partners = await db
    .selectFrom('bureau_events')
    .select('partner_id')
    .distinct()
    .where('agent_id', '=', 'told-of')
    .execute()
  assert.deepEqual(partners, [{ partner_id: furnisher.partnerId }])
  const row = await db
    .selectFrom('bureau_accounts')
    .select(['opened_at', 'closed_at', 'partner_id'])
    .where('id', '=', account_id)
    .executeTakeFirstOrThrow()
  assert.deepEqual(row, { opened_at: clock.now(), closed_at: clock.now(), partner_id: furnisher.partnerId })
})

test('a report without an amount shows none', async () => {
  await enrol('without-amounts')
  await post('/v2/api/account', { action: 'open', agent_id: 'without-amounts', platform: 'p', account_type: 'general' })
  await report('without-amounts', 'payment_ontime')
  const { accounts, recent_reports } = await scoreOf('without-amounts')
  assert.deepEqual([accounts[0].credit_limit, recent_reports.length, recent_reports[0].amount], [null, 1, null])
})

test('a score shows the newest twenty reports and the newest hundred open accounts', async () => {
  await enrol('busy')
  for (let amount = 1; amount <= 21; amount++) await report('busy', 'debt_opened', { amount })
  const opened = await Promise.all(
    Array.from({ length: 101 }, () =>
      post('/v2/api/account', { action: 'open', agent_id: 'busy', platform: 'p', account_type: 'credit' })
    )
  )
  const ids = opened.map(({ body }) => Number(body.account_id)).sort((a, b) => b - a)
  const { accounts, recent_reports } = await scoreOf('busy')
  assert.deepEqual(
    recent_reports.map(({ amount }: { amount: number }) => amount),
    Array.from({ length: 20 }, (_, index) => 21 - index)
  )
  assert.deepEqual(
    accounts.map(({ account_id }: { account_id: number }) => account_id),
    ids.slice(0, 100)
  )
})

test('a problem names the field that is missing for an action, or the state of the account', async () => {
  await enrol('refused')
  const detailOf = async (body: object) => (await post('/v2/api/account', { agent_id: 'refused', ...body })).body
  const empty = await detailOf({ action: 'open' })
  assert.equal(
    empty.detail,
    'The request has 2 invalid fields: body/platform is required when action is open; body/account_type is required when action is open.'
  )
  assert.deepEqual(empty.errors, [
    { path: 'body/platform', message: 'is required when action is open' },
    { path: 'body/account_type', message: 'is required when action is open' }
  ])
  const nameless = await detailOf({ action: 'close' })
  assert.equal(nameless.detail, 'The request has 1 invalid field: body/account_id is required when action is close.')
  assert.deepEqual(nameless.errors, [{ path: 'body/account_id', message: 'is required when action is close' }])
  assert.equal(
    (await detailOf({ action: 'close', account_id: 99 })).detail,
    'You have no account 99 for agent `refused`.'
  )
  const { account_id } = await detailOf({ action: 'open', platform: 'p', account_type: 'credit' })
  await detailOf({ action: 'close', account_id })
  assert.equal(
    (await detailOf({ action: 'close', account_id })).detail,
    `Account ${account_id} was closed on 2026-06-14.`
  )
  assert.equal((await scoreOf('nobody')).detail, 'Agent `nobody` is not enrolled. Enrol it with POST /v2/api/register.')
})

test('other domains read the score at a given time, or none for an agent that is not enrolled', async () => {
  await enrol('aging')
  assert.equal(await readLendingScore(db, 'aging', clock.now()), 500)
  assert.equal(await readLendingScore(db, 'aging', new Date(clock.now().getTime() + 365 * dayMs)), 525)
  assert.equal(await readLendingScore(db, 'unknown', clock.now()), undefined)
})

test('the daily check names the agents with wrong counters, and runs again after a day', async () => {
  const checked = async () => {
    await app.jobs.run('bureau')
    return await db
      .selectFrom('check_results')
      .select(['status', 'detail', 'at'])
      .where('name', '=', 'bureau')
      .executeTakeFirstOrThrow()
  }
  const first = { status: 'ok', detail: 'Every counter equals a full recount.', at: clock.now() }
  assert.deepEqual(await checked(), first)
  await db.updateTable('bureau_agents').set({ on_time: 9 }).where('agent_id', 'in', ['owned', 'borrower']).execute()
  assert.deepEqual(await findMiscounted(db), ['borrower', 'owned'])
  clock.advance(dayMs - 1)
  assert.deepEqual(await checked(), first)
  clock.advance(1)
  assert.deepEqual(await checked(), {
    status: 'failed',
    detail: 'The counters differ from a full recount for: borrower, owned.',
    at: clock.now()
  })
})
