import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { t, test } from 'tap'
import { findMiscounted } from '../../../modules/bureau/queries/recount.ts'
import { startApp } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'

const dayMs = 86_400_000
const { app, url, clock, database } = await startApp(t)
const partner = await createPartner(database)
const post = (path: string, body: unknown, key: string = partner.testKey) => send(url, 'POST', path, { key, body })
const score = (agent: string) => send(url, 'GET', `/v2/api/score?agent_id=${agent}`)
const enrol = (agent_id: string) => send(url, 'POST', '/v2/api/register', { body: { agent_id } })
const reportOn = (agent_id: string) => ({
  agent_id,
  reporter_name: 'My Platform',
  reporter_platform: 'my-platform',
  report_type: 'payment_ontime',
  amount: 150,
  notes: 'Monthly subscription'
})

test('anyone can enrol an agent, and enrolling it again changes nothing', async () => {
  const agent_id = 'my-agent-001'
  const report = reportOn(agent_id)
  const enrolment = { agent_id, agent_name: 'My Trading Bot', owner_email: 'you@example.com', platform: 'independent' }
  const first = await send(url, 'POST', '/v2/api/register', { body: enrolment })
  assert.deepEqual(
    [first.status, first.body],
    [200, { ok: true, agent_id, score: 500, message: 'Agent registered. Starting score: 500.' }]
  )
  await post('/v2/api/report', report)
  const again = await enrol(agent_id)
  assert.deepEqual([again.status, again.body], [200, { ok: true, agent_id, score: 518, message: 'already enrolled' }])
  assert.equal((await score(agent_id)).body.score, 518)
})

test('the score includes its factors, reports and accounts, newest reports first', async () => {
  const agent_id = 'known'
  const report = reportOn(agent_id)
  await enrol(agent_id)
  const opened = await post('/v2/api/account', {
    action: 'open',
    agent_id,
    platform: 'my-platform',
    account_type: 'credit',
    credit_limit: 500
  })
  assert.equal(opened.status, 200)
  assert.deepEqual(opened.body, {
    ok: true,
    agent_id,
    account_id: opened.body.account_id,
    status: 'open',
    new_score: 508
  })
  assert.equal(typeof opened.body.account_id, 'number')
  clock.advance(73 * dayMs)
  for (const report_type of [
    'payment_ontime',
    'payment_late',
    'payment_missed',
    'dispute',
    'debt_opened',
    'account_opened',
    'account_closed'
  ]) {
    assert.equal((await post('/v2/api/report', { ...report, report_type })).status, 200)
  }
  const last = await post('/v2/api/report', { ...report, report_type: 'debt_closed', amount: 250 })
  const { status, body } = await score(agent_id)
  assert.equal(status, 200)
  const { recent_reports, factors, ...rest } = body
  // 500 + 200/11 + 16 + 30 + 5 − 10 − 30 − 15
  assert.deepEqual(rest, {
    agent_id,
    score: 514,
    grade: 'Poor',
    account_age_days: 73,
    payment_history: { on_time: 1, late: 1, missed: 1 },
    accounts: [
      {
        account_id: opened.body.account_id,
        platform: 'my-platform',
        account_type: 'credit',
        credit_limit: 500,
        furnisher: { partner_id: partner.partnerId, name: 'A partner' },
        opened_at: '2026-06-14T18:00:00.000Z'
      }
    ],
    score_version: 1
  })
  assert.deepEqual(factors, {
    base: 500,
    payments: 200 / 11,
    accounts: 16,
    utilisation: 30,
    age: 5,
    late: -10,
    missed: -30,
    disputes: -15
  })
  const id = Number(last.body.id)
  assert.deepEqual(last.body, { ok: true, id, agent_id, report_type: 'debt_closed', new_score: 514 })
  assert.equal(recent_reports.length, 8)
  assert.deepEqual(recent_reports[0], {
    id,
    report_type: 'debt_closed',
    amount: 250,
    reporter_name: 'My Platform',
    reporter_platform: 'my-platform',
    furnisher: { partner_id: partner.partnerId, name: 'A partner' },
    excluded: null,
    created_at: '2026-08-26T18:00:00.000Z'
  })
  assert.equal(recent_reports.at(-1).report_type, 'payment_ontime')
})

test('an agent that is not enrolled gets 404 not_enrolled from every operation', async () => {
  const agent_id = 'nobody'
  const report = reportOn(agent_id)
  const answers = [
    await score(agent_id),
    await post('/v2/api/report', report),
    await post('/v2/api/account', { action: 'open', agent_id, platform: 'p', account_type: 'general' }),
    await post('/v2/api/account', { action: 'close', agent_id, account_id: 1 })
  ]
  for (const { status, body } of answers) {
    assert.deepEqual([status, body.error, body.message], [404, 'not_enrolled', body.detail])
  }
})

test('only the furnisher that opened an account can close it, once, and only for its agent', async () => {
  const agent_id = 'closing'
  for (const id of [agent_id, 'another']) await enrol(id)
  const { body } = await post('/v2/api/account', {
    action: 'open',
    agent_id,
    platform: 'p',
    account_type: 'credit',
    credit_limit: 12.34
  })
  const close = { action: 'close', agent_id, account_id: body.account_id as number }
  const stranger = await createPartner(database)
  assert.equal((await post('/v2/api/account', close, stranger.testKey)).status, 404)
  assert.equal((await post('/v2/api/account', { ...close, agent_id: 'another' })).status, 404)
  assert.equal((await post('/v2/api/account', { ...close, account_id: 999 })).status, 404)
  const closings = await Promise.all(Array.from({ length: 20 }, () => post('/v2/api/account', close)))
  assert.deepEqual(
    closings.filter(({ status }) => status === 200).map(({ body: closed }) => closed),
    [{ ok: true, agent_id, account_id: body.account_id, status: 'closed', new_score: 500 }]
  )
  assert.ok(
    closings.every(({ status, body: { error } }) => status === 200 || (status === 409 && error === 'already_closed'))
  )
  assert.deepEqual((await score(agent_id)).body.accounts, [])
  assert.deepEqual(await findMiscounted(database.db), [])
})

test('only furnishers can report: anonymous requests and tokens without the scope are rejected', async () => {
  const agent_id = 'furnished'
  const report = reportOn(agent_id)
  await enrol(agent_id)
  assert.equal((await send(url, 'POST', '/v2/api/report', { body: report })).status, 401)
  const reader = await post('/v2/api/report', report, await partner.token(['bureau:read']))
  assert.deepEqual(
    [reader.status, reader.body.error, reader.body.missingScope],
    [403, 'insufficient_scope', 'bureau:write']
  )
  assert.equal((await post('/v2/api/report', report, await partner.token(['bureau:write']))).status, 200)
})

test('an invalid request gets 400 and names every invalid field', async () => {
  const agent_id = 'garbled'
  const report = reportOn(agent_id)
  await enrol(agent_id)
  const wrong = await post('/v2/api/report', { ...report, report_type: 'payment_early', amount: 1.005 })
  assert.equal(wrong.status, 400)
  assert.deepEqual(wrong.body.errors.map(({ path }: { path: string }) => path).sort(), [
    'body/amount',
    'body/report_type'
  ])
  const open = await post('/v2/api/account', { action: 'open', agent_id })
  assert.deepEqual(
    [open.status, open.body.errors.map(({ path }: { path: string }) => path)],
    [400, ['body/platform', 'body/account_type']]
  )
  const close = await post('/v2/api/account', { action: 'close', agent_id })
  assert.deepEqual(
    [close.status, close.body.errors.map(({ path }: { path: string }) => path)],
    [400, ['body/account_id']]
  )
  for (const agent of ['', 'nul\u0000byte']) assert.equal((await enrol(agent)).status, 400)
})

test('two hundred concurrent enrolments create one enrolment', async () => {
  const agent_id = 'crowd'
  const answers = await Promise.all(Array.from({ length: 200 }, () => enrol(agent_id)))
  assert.equal(answers.filter(({ body }) => body.message === 'already enrolled').length, 199)
  assert.equal(
    (await database.db.selectFrom('bureau_agents').select('agent_id').where('agent_id', '=', agent_id).execute())
      .length,
    1
  )
})

test('no statement can change or delete the history', async () => {
  const agent_id = 'kept'
  const report = reportOn(agent_id)
  await enrol(agent_id)
  await post('/v2/api/report', report)
  for (const statement of [
    sql`update bureau_events set kind = 'dispute'`,
    sql`delete from bureau_events`,
    sql`truncate bureau_events`
  ]) {
    await assert.rejects(statement.execute(database.db), /append-only/)
  }
})

test('the daily check is ok while the counters are correct, and health reports a corrupted counter', async () => {
  const agent_id = 'checked'
  const report = reportOn(agent_id)
  await enrol(agent_id)
  await Promise.all(Array.from({ length: 20 }, () => post('/v2/api/report', report)))
  await app.jobs.run('bureau')
  const check = async () => (await send(url, 'GET', '/api/v1/health')).body.checks.bureau.status
  assert.equal(await check(), 'ok')
  await database.db.updateTable('bureau_agents').set({ on_time: 21 }).where('agent_id', '=', agent_id).execute()
  await app.jobs.run('bureau')
  assert.equal(await check(), 'ok', 'it was made today already')
  clock.advance(dayMs)
  await app.jobs.run('bureau')
  assert.equal(await check(), 'failed')
})
