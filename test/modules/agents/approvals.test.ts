import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'tap'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import { createOwner, openWorld } from './world.ts'

const dayMs = 24 * 3_600_000

test('approvals, limits and ownership', async (t) => {
  const world = await openWorld(t)
  const { as, asOwner, clock, database } = world
  const requestApproval = async (key: string, amount: number, more: object = {}): Promise<number> =>
    Number((await as(key, 'POST', '/api/spend', { amount, require_approval: true, ...more })).body.approval_id)

  await t.test('200 parallel spends of 10 on 1,000 credits give exactly 100 successes and the balance 0', async () => {
    const key = await world.fund('crowd', 1000)
    const responses = await Promise.all(
      Array.from({ length: 200 }, () => as(key, 'POST', '/api/spend', { amount: 10 }))
    )
    assert.deepEqual(
      [200, 402].map((status) => responses.filter((response) => response.status === status).length),
      [100, 100]
    )
    assert.equal(await world.balance('crowd'), 0)
  })

  await t.test('an approval decided by 20 parallel calls takes the credits once', async () => {
    const key = await world.fund('parallel', 100)
    const id = await requestApproval(key, 30)
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        asOwner('POST', i % 4 === 3 ? '/api/reject' : '/api/approve', { request_id: id })
      )
    )
    assert.equal(responses.filter(({ status }) => status === 200).length, 1)
    assert.equal(responses.filter(({ body }) => body.error === 'already_decided').length, 19)
    const approved = responses.some(({ body }) => body.status === 'approved')
    assert.equal(await world.balance('parallel'), approved ? 70 : 100)
  })

  await t.test(
    'approving more than the balance gets 402, leaves the request pending, and succeeds after a top-up',
    async () => {
      const key = await world.fund('short', 10)
      const id = await requestApproval(key, 25)
      const refused = await asOwner('POST', '/api/approve', { request_id: id })
      assert.deepEqual(
        [refused.status, refused.body.error, refused.body.balance, refused.body.required],
        [402, 'insufficient_balance', 10, 25]
      )
      assert.equal((await asOwner('GET', '/api/approvals?status=pending')).body.approvals[0].approval_id, id)
      await database.db
        .transaction()
        .execute((trx) =>
          world.app.ledger.post(trx, { walletId: 'short', type: 'earn', amountCents: 2_000, description: 'More' })
        )
      assert.equal((await asOwner('POST', '/api/approve', { request_id: id })).status, 200)
      assert.equal(await world.balance('short'), 5)
    }
  )

  await t.test('a paused agent’s request cannot be approved until the agent is resumed', async () => {
    const key = await world.fund('sleepy', 10)
    const id = await requestApproval(key, 5)
    await asOwner('POST', '/api/agents/sleepy/pause')
    assert.equal((await asOwner('POST', '/api/approve', { request_id: id })).body.error, 'agent_paused')
    await asOwner('POST', '/api/agents/sleepy/resume')
    assert.equal((await asOwner('POST', '/api/approve', { request_id: id })).status, 200)
  })

  await t.test('a request expires after 24 hours, even before the job has run', async () => {
    const key = await world.fund('late', 10)
    const [first, second] = [await requestApproval(key, 5), await requestApproval(key, 5)]
    clock.advance(dayMs - 1)
    assert.equal((await asOwner('POST', '/api/approve', { request_id: first })).status, 200)
    clock.advance(1)
    const refused = await asOwner('POST', '/api/approve', { request_id: second })
    assert.deepEqual([refused.status, refused.body.error], [409, 'approval_expired'])
    assert.equal((await asOwner('POST', '/api/reject', { request_id: second })).body.error, 'approval_expired')
    const statusOf = async () =>
      (await asOwner('GET', '/api/approvals?status=expired')).body.approvals.map(
        (row: { approval_id: number }) => row.approval_id
      )
    assert.deepEqual(await statusOf(), [second])
    await world.app.jobs.run('expire approval requests')
    assert.deepEqual(await statusOf(), [second])
    assert.equal(await world.balance('late'), 5)
  })

  await t.test(
    "the approvals of an owner's agents are listed newest first, page by page, filtered by status",
    async () => {
      const keys = await Promise.all(['one', 'two', 'three'].map((agent) => world.fund(agent, 100)))
      const wanted: Record<string, number[]> = { pending: [], approved: [], rejected: [], expired: [] }
      const requests: [key: string, status: string][] = Array.from({ length: 12 }, (_, n) => [
        keys[n % 3] ?? '',
        ['expired', 'approved', 'rejected'][n % 4] ?? 'pending'
      ])
      for (const [key, status] of requests.filter(([, status]) => status !== 'pending'))
        wanted[status]?.push(await requestApproval(key, 1))
      for (const [status, verb] of [
        ['approved', 'approve'],
        ['rejected', 'reject']
      ] as const) {
        for (const id of wanted[status] ?? [])
          assert.equal((await asOwner('POST', `/api/${verb}`, { request_id: id })).status, 200)
      }
      clock.advance(dayMs)
      for (const [key] of requests.filter(([, status]) => status === 'pending'))
        wanted.pending?.push(await requestApproval(key, 1))
      const first = Math.min(...Object.values(wanted).flat())
      const listed = async (query: string): Promise<number[]> => {
        const ids: number[] = []
        for (let cursor = ''; ;) {
          const { body } = await asOwner('GET', `/api/approvals?limit=2${query}&cursor=${cursor}`)
          for (const row of body.approvals as { approval_id: number }[]) ids.push(row.approval_id)
          if (body.has_more !== true) return ids.filter((id) => id >= first)
          cursor = String(body.next_cursor)
        }
      }
      const newestFirst = (ids: number[]) => [...ids].sort((a, b) => b - a)
      for (const [status, ids] of Object.entries(wanted))
        assert.deepEqual(await listed(`&status=${status}`), newestFirst(ids), status)
      assert.deepEqual(await listed(''), newestFirst(Object.values(wanted).flat()))
    }
  )

  await t.test('the database refuses to change the content or the decision of an approval request', async () => {
    const key = await world.fund('stone', 10)
    const id = await requestApproval(key, 5, { item_name: 'A book', url: 'https://books.example' })
    for (const change of [
      sql`amount_cents = 1`,
      sql`agent_id = 'crowd'`,
      sql`description = 'another'`,
      sql`url = null`,
      sql`expires_at = expires_at + interval '1 day'`
    ]) {
      await assert.rejects(
        sql`update approvals set ${change}, status = 'expired' where id = ${id}`.execute(database.db),
        /cannot change/
      )
    }
    await asOwner('POST', '/api/reject', { request_id: id })
    await assert.rejects(
      sql`update approvals set status = 'expired', decided_at = null, decided_by = null where id = ${id}`.execute(
        database.db
      ),
      /decided once/
    )
    await assert.rejects(sql`delete from approvals`.execute(database.db), /decided once/)
  })

  await t.test('approval requests of other owners return 404', async () => {
    const key = await world.fund('mine', 10)
    const id = await requestApproval(key, 5)
    const stranger = await (await createOwner(world)).token()
    for (const path of ['/api/approve', '/api/reject']) {
      assert.equal((await as(stranger, 'POST', path, { request_id: id })).status, 404)
      assert.equal((await as(stranger, 'POST', path, { request_id: 999_999 })).status, 404)
      assert.equal((await as(key, 'POST', path, { request_id: id })).status, 403)
    }
    assert.deepEqual((await as(stranger, 'GET', '/api/approvals')).body.approvals, [])
  })

  await t.test(
    "a spend over a limit becomes a request; approved spends do not count towards the UTC day's limit",
    async () => {
      const key = await world.fund('limited', 1000)
      const limits = await asOwner('POST', '/api/agents/limited/limits', {
        daily_limit: 100,
        per_transaction_limit: 60
      })
      assert.deepEqual(limits.body, { ok: true, agent_id: 'limited', daily_limit: 100, per_transaction_limit: 60 })
      const spend = async (amount: number) => (await as(key, 'POST', '/api/spend', { amount })).body
      clock.set('2026-07-01T23:59:59.000Z')
      assert.equal((await spend(60)).ok, true)
      const tooMuch = await spend(60.01)
      assert.equal(tooMuch.pending, true)
      assert.equal((await asOwner('POST', '/api/approve', { request_id: tooMuch.approval_id })).status, 200)
      assert.equal((await spend(40)).ok, true)
      assert.equal((await spend(0.01)).pending, true)
      clock.advance(1_000)
      assert.equal((await spend(60)).ok, true)
      const reasons = (await asOwner('GET', '/api/approvals?limit=2')).body.approvals.map(
        (row: { reason: string }) => row.reason
      )
      assert.deepEqual(reasons, ['daily_limit', 'per_transaction_limit'])
      const lifted = await asOwner('POST', '/api/agents/limited/limits', { daily_limit: null })
      assert.deepEqual([lifted.body.daily_limit, lifted.body.per_transaction_limit], [null, 60])
      assert.equal((await spend(60)).ok, true)
      assert.equal((await asOwner('POST', '/api/agents/limited/limits', {})).status, 400)
    }
  )

  await t.test(
    'of 20 concurrent spends those within the daily limit succeed, and the others request approval',
    async () => {
      const key = await world.fund('rush', 1000)
      await asOwner('POST', '/api/agents/rush/limits', { daily_limit: 50 })
      const responses = await Promise.all(
        Array.from({ length: 20 }, () => as(key, 'POST', '/api/spend', { amount: 10 }))
      )
      assert.deepEqual(
        [responses.filter(({ body }) => body.ok).length, responses.filter(({ body }) => body.pending).length],
        [5, 15]
      )
      assert.equal(await world.balance('rush'), 950)
    }
  )

  await t.test('the owner gets a notification of each request, and pages through them', async () => {
    const key = await world.fund('chatty', 10)
    const ids = [
      await requestApproval(key, 1, { item_name: 'one' }),
      await requestApproval(key, 2, { item_name: 'two' }),
      await requestApproval(key, 3, { item_name: 'three' })
    ]
    const first = (await asOwner('GET', '/api/v1/notifications?limit=2')).body
    const second = (await asOwner('GET', `/api/v1/notifications?limit=1&cursor=${first.nextCursor}`)).body
    const notified = [...first.items, ...second.items].map(
      (item: { data: { approval_id: number }; message: string; sms: string }) => [
        item.data.approval_id,
        item.message,
        item.sms
      ]
    )
    assert.deepEqual(
      notified,
      ids.map((id, i) => [id, `chatty asks to spend ${i + 1} credits: ${['one', 'two', 'three'][i]}`, 'none']).reverse()
    )
    assert.equal(first.items[0].type, 'agent.approval_requested')
    assert.equal((await asOwner('GET', '/api/v1/notifications?cursor=nonsense')).body.error, 'invalid_cursor')
  })

  await t.test('the owner and the agent can page through the whole history, and its balances add up', async () => {
    const key = await world.fund('historian', 100)
    for (let i = 1; i <= 24; i++) await as(key, 'POST', '/api/spend', { amount: i / 100, description: `call ${i}` })
    assert.equal((await as(undefined, 'GET', '/api/balance?agent_id=historian')).body.recent_transactions.length, 10)
    for (const credential of [key, await world.owner.token()]) {
      const rows: { id: number; amount: number; balance_after: number; type: string }[] = []
      for (let cursor = ''; ;) {
        const { body } = await as(credential, 'GET', `/api/agents/historian/transactions?limit=7${cursor}`)
        rows.push(...body.transactions)
        if (!body.has_more) break
        cursor = `&cursor=${body.next_cursor}`
      }
      assert.equal(rows.length, 25)
      assert.equal(new Set(rows.map(({ id }) => id)).size, 25)
      rows.forEach((row, i) =>
        assert.equal(
          Math.round((row.balance_after - row.amount) * 100),
          Math.round((rows[i + 1]?.balance_after ?? 0) * 100)
        )
      )
      assert.deepEqual(Object.keys(rows[0] ?? {}).sort(), [
        'amount',
        'balance_after',
        'created_at',
        'description',
        'id',
        'type'
      ])
    }
    const other = await world.fund('nosy', 0)
    assert.equal((await as(other, 'GET', '/api/agents/historian/transactions')).body.error, 'not_owner')
  })

  await t.test('claiming an agent that is in use requires its key', async () => {
    const key = (await as(undefined, 'POST', '/api/register', { agent_id: 'orphan' })).body.api_key
    await as(key, 'POST', '/api/spend', { amount: 1, require_approval: true })
    const thief = await (await createOwner(world)).token()
    const refused = await as(thief, 'POST', '/api/register', { agent_id: 'orphan' })
    assert.deepEqual([refused.status, refused.body.error], [403, 'claim_needs_key'])
    assert.equal(
      (await as(thief, 'POST', '/api/register', { agent_id: 'orphan', api_key: 'afg_live_guess' })).body.error,
      'claim_needs_key'
    )
    assert.equal(
      (await as(thief, 'POST', '/api/checkout', { agent_id: 'orphan', amount: 10 })).body.error,
      'claim_needs_key'
    )
    assert.equal((await asOwner('POST', '/api/register', { agent_id: 'orphan', api_key: key })).body.claimed, true)
    assert.equal((await as(thief, 'POST', '/api/register', { agent_id: 'orphan', api_key: key })).body.claimed, false)
    assert.equal((await asOwner('GET', '/api/status?agent_id=orphan')).body.is_owner, true)
  })

  await t.test('20 concurrent registrations of one agent create one agent with one key', async () => {
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => as(undefined, 'POST', '/api/register', { agent_id: 'twins' }))
    )
    assert.deepEqual(
      [201, 200].map((status) => responses.filter((response) => response.status === status).length),
      [1, 19]
    )
  })

  await t.test('a user’s agents are listed newest first, with balance and debt', async () => {
    const other = await createOwner(world)
    const token = await other.token()
    for (const agent_id of ['a1', 'a2', 'a3']) {
      await as(token, 'POST', '/api/register', { agent_id })
      clock.advance(1_000)
    }
    const first = (await as(token, 'GET', '/api/agents?limit=2')).body
    assert.deepEqual(
      first.agents.map((agent: { agent_id: string }) => agent.agent_id),
      ['a3', 'a2']
    )
    const second = (await as(token, 'GET', `/api/agents?limit=2&cursor=${first.next_cursor}`)).body
    assert.deepEqual(
      [second.agents.map((agent: { agent_id: string }) => agent.agent_id), second.has_more],
      [['a1'], false]
    )
    assert.deepEqual([second.agents[0].balance, second.agents[0].owed, second.agents[0].status], [0, 0, 'active'])
  })

  assert.deepEqual((await verifyLedger(database.db)).faults, [])
})
