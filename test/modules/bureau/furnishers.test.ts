import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { findMiscounted } from '../../../modules/bureau/queries/recount.ts'
import { startApp } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'
import { createOwner } from '../agents/world.ts'
import { appoint, join, openCredit, productionEnv } from './world.ts'

const server = await startApp(t)
const { url, database } = server
const { db } = database
const credit = await openCredit(server)
const { owner, furnisher, register, claim, report, openAccount, file, score } = credit

/** A partner of which the owner is a member. */
const createOwnPartner = async () => {
  const partner = await createPartner(database)
  await join(server, owner.userId, partner.partnerId)
  return partner
}

const stateOf = async (agentId: string) =>
  ((await file(agentId)).recent_reports as { report_type: string; excluded: string | null }[]).map(
    ({ report_type, excluded }) => [report_type, excluded]
  )

test('no partner of the agent’s owner can report on it, open an account or close one', async () => {
  await register('mine', owner)
  const own = await createOwnPartner()
  const close = { action: 'close', agent_id: 'mine', account_id: 1 }
  for (const attempt of [
    await report('mine', 'payment_ontime', own.testKey),
    await report('mine', 'payment_missed', await own.token(['bureau:write'])),
    await openAccount('mine', own.testKey),
    await send(url, 'POST', '/v2/api/account', { key: own.testKey, body: close })
  ]) {
    assert.deepEqual([attempt.status, attempt.body.error], [403, 'self_report'])
    assert.match(attempt.body.detail, /You own this agent/)
  }
  assert.equal(await score('mine'), 500)
  assert.equal((await report('mine', 'payment_ontime')).body.new_score, 518)
})

test('a claim excludes what its owner’s partners had reported, and nothing else', async () => {
  const own = await createOwnPartner()
  await register('farmed')
  for (const kind of ['payment_ontime', 'payment_missed', 'account_opened', 'debt_opened', 'dispute'])
    assert.equal((await report('farmed', kind, own.testKey)).status, 200)
  await report('farmed', 'debt_closed', own.testKey, { amount: 250.5 })
  const { account_id: closed } = (await openAccount('farmed', own.testKey, 300)).body
  await openAccount('farmed', own.testKey, 700)
  await send(url, 'POST', '/v2/api/account', {
    key: own.testKey,
    body: { action: 'close', agent_id: 'farmed', account_id: closed }
  })
  await report('farmed', 'payment_ontime')
  await openAccount('farmed', furnisher.liveKey, 900)
  const before = await credit.changes('farmed')
  assert.equal((await claim('farmed', owner)).body.claimed, true)

  const { factors, payment_history, accounts, score: after } = await file('farmed')
  // 500 + 200/11 + 8
  assert.equal(after, 526)
  assert.deepEqual(payment_history, { on_time: 1, late: 0, missed: 0 })
  assert.deepEqual([factors.accounts, factors.utilisation, factors.disputes], [8, 0, 0])
  assert.deepEqual(
    accounts.map((account: Record<string, unknown>) => [account.credit_limit, account.furnisher]),
    [[900, { partner_id: furnisher.partnerId, name: 'A partner' }]]
  )
  assert.deepEqual(await stateOf('farmed'), [
    ['payment_ontime', null],
    ['debt_closed', 'own_agent'],
    ['dispute', 'own_agent'],
    ['debt_opened', 'own_agent'],
    ['account_opened', 'own_agent'],
    ['payment_missed', 'own_agent'],
    ['payment_ontime', 'own_agent']
  ])
  assert.deepEqual(await findMiscounted(db), [])
  assert.equal(await credit.changes('farmed'), before + 1)
})

test('reports on an agent that is enrolled before it is registered stop counting, too', async () => {
  const own = await createOwnPartner()
  await credit.enrol('unborn')
  await report('unborn', 'payment_ontime', own.testKey)
  await report('unborn', 'payment_ontime')
  assert.equal(await score('unborn'), 533)
  assert.equal((await claim('unborn', owner)).status, 201)
  assert.equal(await score('unborn'), 518)
  assert.deepEqual(await stateOf('unborn'), [
    ['payment_ontime', null],
    ['payment_ontime', 'own_agent']
  ])
})

test('a checkout that registers an agent excludes the reports of its owner', async () => {
  const own = await createOwnPartner()
  await credit.enrol('bought')
  await report('bought', 'payment_ontime', own.testKey)
  const body = { agent_id: 'bought', amount: 10 }
  assert.equal((await send(url, 'POST', '/api/checkout', { key: await owner.token(), body })).status, 200)
  assert.deepEqual(await stateOf('bought'), [['payment_ontime', 'own_agent']])
})

test('registering and enrolling again brings no excluded report back', async () => {
  const own = await createOwnPartner()
  const key = await register('laundered')
  await report('laundered', 'payment_ontime', own.testKey)
  await claim('laundered', owner, key)
  for (let time = 0; time < 2; time++) {
    await claim('laundered', owner, key)
    await claim('laundered', await createOwner(server), key)
    await credit.enrol('laundered')
  }
  assert.deepEqual(await stateOf('laundered'), [['payment_ontime', 'own_agent']])
  assert.equal(await score('laundered'), 500)
  assert.deepEqual(await findMiscounted(db), [])
})

test('of reports that race with a claim none by the new owner counts', async () => {
  for (let round = 0; round < 8; round++) {
    const own = await createOwnPartner()
    const agentId = `raced-${round}`
    // Half of them are not enrolled, so that enrolment races as well.
    const key = round % 2 === 0 ? await register(agentId) : undefined
    const attempts = Array.from({ length: 10 }, async (_, index) => {
      if (index === 0) await credit.enrol(agentId)
      return await report(agentId, 'payment_ontime', own.testKey)
    })
    const claimed = claim(agentId, owner, key)
    for (const { status } of await Promise.all(attempts)) assert.ok([200, 403, 404].includes(status))
    assert.ok((await claimed).status < 300)
    assert.equal(await score(agentId), 500, agentId)
    assert.ok((await stateOf(agentId)).every(([, excluded]) => excluded === 'own_agent'))
  }
  assert.deepEqual(await findMiscounted(db), [])
})

test('reports name their furnisher, and those of this server none', async () => {
  await register('named', owner)
  await db.updateTable('partners').set({ name: 'A bank' }).where('id', '=', furnisher.partnerId).execute()
  await report('named', 'payment_ontime', furnisher.liveKey, { reporter_name: 'Another bank' })
  const [shown] = (await file('named')).recent_reports
  assert.deepEqual(
    [shown.reporter_name, shown.furnisher],
    ['Another bank', { partner_id: furnisher.partnerId, name: 'A bank' }]
  )
})

test('in production only appointed furnishers report, and only with live credentials', async (t) => {
  const production = await startApp(t, { env: productionEnv })
  const there = await openCredit(production)
  await there.register('judged', there.owner)
  const stranger = await createPartner(production.database, { production: true })
  const { furnisher: appointed } = there
  const attempts = async (key: string) => [
    await there.report('judged', 'payment_missed', key),
    await there.openAccount('judged', key),
    await there.confirm(1, key)
  ]
  const codes = async (key: string) => (await attempts(key)).map(({ status, body }) => [status, body.error])
  const refused = Array.from({ length: 3 }, () => [403, 'furnisher_not_enabled'])
  assert.deepEqual(await codes(stranger.liveKey), refused)
  assert.deepEqual(await codes(await stranger.token(['bureau:write'], { environment: 'live' })), refused)
  assert.deepEqual(await codes(appointed.testKey), refused)
  assert.equal(await there.score('judged'), 500)
  assert.equal((await there.report('judged', 'payment_ontime')).status, 200)
  assert.equal(
    (await there.report('judged', 'payment_ontime', await appointed.token(['bureau:write'], { environment: 'live' })))
      .status,
    200
  )
  await appoint(production, appointed.partnerId, false)
  assert.deepEqual(await codes(appointed.liveKey), refused)
  assert.equal(await there.score('judged'), 533, 'reports made before keep counting')
})

test('outside production every partner reports, with a test credential', async () => {
  await register('tried', owner)
  const partner = await createPartner(database)
  assert.equal((await report('tried', 'payment_ontime', partner.testKey)).status, 200)
})
