import assert from 'node:assert/strict'
import fc from 'fast-check'
import { sql } from 'kysely'
import { t, test } from 'tap'
import { recordOwnReport } from '../../../modules/bureau/index.ts'
import { findMiscounted } from '../../../modules/bureau/queries/recount.ts'
import { eventSteps, type EventState } from '../../../modules/bureau/states.ts'
import { transact } from '../../../plugins/database/transaction.ts'
import { startApp } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'
import { search } from '../../search.ts'
import { createOwner } from '../agents/world.ts'
import { openCredit } from './world.ts'

const dayMs = 86_400_000
const server = await startApp(t)
const { app, url, clock, database } = server
const { db } = database
const credit = await openCredit(server)
const { owner, furnisher, report, dispute, confirm, score } = credit

let agents = 0
/** An agent of the owner with one report on it. */
const reported = async (kind = 'payment_missed') => {
  const agentId = `agent-${agents++}`
  await credit.register(agentId, owner)
  return { agentId, id: Number((await report(agentId, kind)).body.id) }
}

const excluded = async (agentId: string) => (await credit.file(agentId)).recent_reports[0].excluded as string | null
const runJob = () => app.jobs.run('drop disputed reports')

test('a disputed report does not count until its furnisher confirms it', async () => {
  const { agentId, id } = await reported()
  assert.equal(await score(agentId), 470)
  const disputed = await dispute(id, owner)
  const confirm_by = new Date(clock.now().getTime() + 30 * dayMs).toISOString()
  assert.deepEqual(
    [disputed.status, disputed.body],
    [200, { ok: true, id, agent_id: agentId, status: 'disputed', confirm_by, new_score: 500 }]
  )
  assert.deepEqual([await score(agentId), await excluded(agentId)], [500, 'disputed'])
  const confirmed = await confirm(id)
  assert.deepEqual(
    [confirmed.status, confirmed.body],
    [200, { ok: true, id, agent_id: agentId, status: 'confirmed', new_score: 470 }]
  )
  assert.deepEqual([await score(agentId), await excluded(agentId)], [470, null])
  assert.equal(await credit.changes(agentId), 3)
  assert.deepEqual(await findMiscounted(db), [])
})

test('loans are decided as if disputed reports that lower the score were confirmed', async () => {
  const agentId = `agent-${agents++}`
  const key = await credit.register(agentId, owner)
  for (let n = 0; n < 4; n++) await report(agentId, 'payment_ontime')
  const id = Number((await report(agentId, 'payment_missed')).body.id)
  await dispute(id, owner)
  assert.equal(await score(agentId), 557)
  const borrow = async () => await send(url, 'POST', '/api/loans', { key, body: { amount: 10 } })
  const refused = await borrow()
  assert.deepEqual([refused.status, refused.body.error, refused.body.score], [403, 'ineligible', 527])
  clock.advance(30 * dayMs)
  await runJob()
  assert.equal((await borrow()).status, 200)
})

test('the furnisher gets an event with the reason and the deadline of a dispute', async () => {
  const { agentId, id } = await reported()
  const { confirm_by } = (await dispute(id, owner, 'Never a customer.')).body
  const events = await db
    .selectFrom('events')
    .select('data')
    .where('partner_id', '=', furnisher.partnerId)
    .where('type', '=', 'bureau.report_disputed')
    .execute()
  assert.deepEqual(
    events.map(({ data }) => data).filter(({ report_id }) => report_id === id),
    [{ agent_id: agentId, report_id: id, reason: 'Never a customer.', confirm_by }]
  )
})

test('a report is disputed once: a second dispute is 409 and says why', async () => {
  const { id } = await reported()
  assert.equal((await dispute(id, owner)).status, 200)
  const again = await dispute(id, owner)
  assert.deepEqual([again.status, again.body.error, again.body.reason], [409, 'not_disputable', 'disputed'])
  await confirm(id)
  const late = await dispute(id, owner)
  assert.deepEqual([late.status, late.body.error, late.body.reason], [409, 'not_disputable', 'confirmed'])
})

test('only the agent’s owner disputes: for all others the report does not exist', async () => {
  const { agentId, id } = await reported()
  const stranger = await createOwner(server)
  const absent = await dispute(987_654, owner)
  const foreign = await dispute(id, stranger)
  assert.deepEqual([absent.status, foreign.status, foreign.body.error], [404, 404, 'not_found'])
  await credit.enrol('without-a-wallet')
  const unowned = Number((await report('without-a-wallet', 'dispute')).body.id)
  assert.equal((await dispute(unowned, owner)).status, 404)
  const byKey = await send(url, 'POST', `/v2/api/reports/${id}/dispute`, {
    key: furnisher.testKey,
    body: { reason: 'x' }
  })
  assert.deepEqual([byKey.status, byKey.body.error], [403, 'credential_not_accepted'])
  assert.equal(await score(agentId), 470)
})

test('only the furnisher that reported confirms, and only what is disputed', async () => {
  const { id } = await reported()
  const early = await confirm(id)
  assert.deepEqual([early.status, early.body.error, early.body.state], [409, 'not_disputed', 'counted'])
  await dispute(id, owner)
  const stranger = await createPartner(database)
  assert.equal((await confirm(id, stranger.testKey)).status, 404)
  assert.equal((await confirm(id, await furnisher.token(['bureau:read']))).body.error, 'insufficient_scope')
  assert.equal((await confirm(id, await furnisher.token(['bureau:write']))).status, 200)
  assert.equal((await confirm(id)).body.state, 'confirmed')
})

test('an unconfirmed report is dropped after 30 days, and nothing makes it count again', async () => {
  const [kept, lost] = [await reported(), await reported()]
  for (const { id } of [kept, lost]) await dispute(id, owner)
  clock.advance(30 * dayMs - 1)
  await runJob()
  assert.equal((await confirm(kept.id)).status, 200)
  clock.advance(1)
  const late = await confirm(lost.id)
  assert.deepEqual([late.status, late.body.error, late.body.state], [409, 'not_disputed', 'dropped'])
  assert.equal(await excluded(lost.agentId), 'disputed', 'the job has not run')
  await runJob()
  assert.equal(await excluded(lost.agentId), 'dropped')
  assert.equal((await confirm(lost.id)).body.state, 'dropped')
  assert.equal((await dispute(lost.id, owner)).body.reason, 'dropped')
  assert.equal((await credit.file(lost.agentId)).payment_history.missed, 0)
  assert.deepEqual(await findMiscounted(db), [])
})

test('what this server reports of its own loans cannot be disputed', async () => {
  const { agentId } = await reported()
  const own = { agentId, reportType: 'payment_missed' as const, amountCents: 50_00, notes: 'loan 1' }
  await transact(db, (trx) => recordOwnReport(app, trx, own))
  const [shown] = (await credit.file(agentId)).recent_reports
  assert.deepEqual([shown.reporter_name, shown.furnisher], ['AtlasForge', null])
  const refused = await dispute(shown.id, owner)
  assert.deepEqual([refused.status, refused.body.error, refused.body.reason], [409, 'not_disputable', 'own_loan'])
})

test('fifty disputes and confirmations at once count the report exactly once', async () => {
  const { agentId, id } = await reported('payment_ontime')
  const disputes = await Promise.all(Array.from({ length: 50 }, () => dispute(id, owner)))
  assert.equal(disputes.filter(({ status }) => status === 200).length, 1)
  const confirmations = await Promise.all(Array.from({ length: 50 }, () => confirm(id)))
  assert.equal(confirmations.filter(({ status }) => status === 200).length, 1)
  assert.equal((await credit.file(agentId)).payment_history.on_time, 1)
  assert.deepEqual(await findMiscounted(db), [])
})

test('the same idempotency key disputes once and answers the same', async () => {
  const { id } = await reported()
  const request = {
    key: await owner.token(),
    body: { reason: 'Not mine.' },
    headers: { 'idempotency-key': `dispute-${id}` }
  }
  const first = await send(url, 'POST', `/v2/api/reports/${id}/dispute`, request)
  const again = await send(url, 'POST', `/v2/api/reports/${id}/dispute`, request)
  assert.deepEqual([first.status, again.text, again.headers.get('idempotent-replayed')], [200, first.text, 'true'])
})

test('the database takes exactly the steps of the state machine, and no other change of a report', async () => {
  const states = Object.keys(eventSteps) as EventState[]
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...states), { maxLength: 8 }), async (wanted) => {
      const { id } = await reported()
      let state: EventState = 'counted'
      for (const next of wanted) {
        const change = sql`update bureau_events set state = ${next},
          disputed_at = case when ${next} = 'disputed' then now() else disputed_at end,
          dispute_reason = case when ${next} = 'disputed' then 'no' else dispute_reason end where id = ${id}`
        if (eventSteps[state].includes(next)) {
          await change.execute(db)
          state = next
        } else await assert.rejects(change.execute(db), /append-only/, `${state} to ${next}`)
      }
    }),
    search(20)
  )
  const { id } = await reported()
  for (const change of [
    "kind = 'dispute'",
    'amount_cents = 1',
    "notes = 'x'",
    'partner_id = null',
    "dispute_reason = 'x'"
  ])
    await assert.rejects(
      sql`update bureau_events set state = 'own_agent', ${sql.raw(change)} where id = ${id}`.execute(db),
      /append-only/
    )
})
