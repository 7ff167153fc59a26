import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { createPartner, send } from '../../credentials.ts'
import { startApp } from '../../build-app.ts'

const { url, database, clock } = await startApp(t)

/** The body and headers of the API reference's example, which names no content type. */
const example = {
  end_user_id: 'usr_8M2nQ',
  cash_balance: 4218.5,
  upcoming_bills: [{ amount: 1450, due_in_days: 9 }],
  savings_commitments: 200,
  debt_commitments: 0,
  cash_buffer: 250
}
const exampleResponse = {
  safe_to_spend_today: 77.28,
  daily_allowance: 77.28,
  monthly_safe_to_spend: 2318.5,
  breakdown: {
    cash_after_buffer: 3968.5,
    upcoming_bills_total: 1450,
    savings_commitments: 200,
    debt_commitments: 0,
    discretionary_pool: 2318.5,
    days_in_period: 30
  },
  calculation_id: 'calc_8M2nQ_2026-06-14',
  calculated_at: '2026-06-14T18:00:00.000Z',
  is_sandbox: true
}
const paths = ['/v1/calculate/safe-to-spend', '/api/v1/calculate/safe-to-spend', '/api/v1/ingest']
const currentOf = async (key: string, endUserId: string) =>
  await send(url, 'GET', `/v1/calculations/safe-to-spend?end_user_id=${encodeURIComponent(endUserId)}`, { key })

test('the example of the reference runs as curl sends it, with amounts exact to the cent', async () => {
  const { testKey } = await createPartner(database)
  for (const path of paths) {
    const { status, body } = await send(url, 'POST', path, {
      body: example,
      headers: { 'x-api-key': testKey, 'content-type': 'application/x-www-form-urlencoded' }
    })
    assert.equal(status, 200)
    assert.deepEqual(body, exampleResponse)
  }
})

test('only the end-user and the balance are required', async () => {
  const { testKey } = await createPartner(database)
  const { status, body } = await send(url, 'POST', paths[0] ?? '', {
    key: testKey,
    body: { end_user_id: 'someone', cash_balance: 0.29 }
  })
  assert.equal(status, 200)
  assert.equal(body.monthly_safe_to_spend, 0.29)
  assert.equal(body.daily_allowance, 0)
  assert.equal(body.calculation_id, 'calc_someone_2026-06-14')
  assert.equal('shortfall' in body, false)
})

test('commitments above the balance allow nothing and return the shortfall', async () => {
  const { testKey } = await createPartner(database)
  const { body } = await send(url, 'POST', paths[0] ?? '', {
    key: testKey,
    body: {
      end_user_id: 'usr_1',
      cash_balance: -20.05,
      upcoming_bills: [
        { amount: 0.1, due_in_days: 0 },
        { amount: 0.2, due_in_days: 30 }
      ],
      cash_buffer: 5
    }
  })
  assert.deepEqual(
    [body.safe_to_spend_today, body.daily_allowance, body.monthly_safe_to_spend, body.shortfall],
    [0, 0, 0, 25.35]
  )
  assert.equal(body.breakdown.discretionary_pool, -25.35)
  assert.equal(body.breakdown.upcoming_bills_total, 0.3)
})

test('commitments equal to the balance leave nothing, without a shortfall', async () => {
  const { testKey } = await createPartner(database)
  const { body } = await send(url, 'POST', paths[0] ?? '', {
    key: testKey,
    body: { end_user_id: 'usr_1', cash_balance: 20, debt_commitments: 20 }
  })
  assert.deepEqual([body.monthly_safe_to_spend, body.breakdown.discretionary_pool, 'shortfall' in body], [0, 0, false])
})

test('the id of a calculation drops the leading usr_ of the end-user and nothing else', async () => {
  const { testKey } = await createPartner(database)
  const idOf = async (end_user_id: string) =>
    (await send(url, 'POST', paths[0] ?? '', { key: testKey, body: { end_user_id, cash_balance: 1 } })).body
      .calculation_id
  assert.equal(await idOf('usr_usr_1'), `calc_usr_1_${clock.now().toISOString().slice(0, 10)}`)
  assert.equal(await idOf('our_usr_1'), `calc_our_usr_1_${clock.now().toISOString().slice(0, 10)}`)
})

test('is_sandbox shows whether a test credential was used', async () => {
  const { testKey, liveKey } = await createPartner(database, { production: true })
  for (const [key, isSandbox] of [
    [testKey, true],
    [liveKey, false]
  ] as const) {
    for (const path of paths)
      assert.equal((await send(url, 'POST', path, { key, body: example })).body.is_sandbox, isSandbox)
  }
})

test('calculating stores nothing; ingesting keeps the current result and emits calculation.updated once', async () => {
  const { partnerId, testKey } = await createPartner(database)
  await send(url, 'POST', paths[0] ?? '', { key: testKey, body: example })
  await send(url, 'POST', paths[1] ?? '', { key: testKey, body: example })
  const none = await currentOf(testKey, 'usr_8M2nQ')
  assert.equal(none.status, 404)
  assert.equal(none.body.error, 'not_found')
  assert.match(none.body.detail, /POST \/api\/v1\/ingest/, 'the problem says how to store one')
  const stored = await send(url, 'POST', '/api/v1/ingest', {
    key: testKey,
    body: example,
    headers: { 'idempotency-key': 'once' }
  })
  await send(url, 'POST', '/api/v1/ingest', { key: testKey, body: example, headers: { 'idempotency-key': 'once' } })
  assert.deepEqual((await currentOf(testKey, 'usr_8M2nQ')).body, stored.body)
  const events = await database.db
    .selectFrom('events')
    .select(['type', 'data'])
    .where('partner_id', '=', partnerId)
    .execute()
  assert.deepEqual(events, [
    { type: 'calculation.updated', data: { calculation_id: 'calc_8M2nQ_2026-06-14', end_user_id: 'usr_8M2nQ' } }
  ])
})

test('calculating leaves no activity, and is still replayed under a key', async () => {
  const { partnerId, testKey } = await createPartner(database)
  const calculateKeyed = () =>
    send(url, 'POST', paths[0] ?? '', { key: testKey, body: example, headers: { 'idempotency-key': 'calculated' } })
  await send(url, 'POST', paths[1] ?? '', { key: testKey, body: example })
  const first = await calculateKeyed()
  clock.advance(1_000)
  const again = await calculateKeyed()
  clock.advance(-1_000)
  assert.equal(first.status, 200)
  assert.equal(again.headers.get('idempotent-replayed'), 'true')
  assert.deepEqual(again.body, first.body)
  await send(url, 'POST', '/api/v1/ingest', { key: testKey, body: example })
  const listed = await database.db
    .selectFrom('activity')
    .select('operation_id')
    .where('partner_id', '=', partnerId)
    .execute()
  assert.deepEqual(listed, [{ operation_id: 'ingestSafeToSpend' }])
})

test('the current calculation is the last ingested one, with its time and shortfall', async () => {
  const { testKey } = await createPartner(database)
  await send(url, 'POST', '/api/v1/ingest', { key: testKey, body: example })
  clock.set('2026-06-15T00:00:00.001Z')
  await send(url, 'POST', '/api/v1/ingest', { key: testKey, body: { ...example, cash_balance: 10, days_in_period: 7 } })
  clock.set('2026-06-14T18:00:00.000Z')
  const { body } = await currentOf(testKey, 'usr_8M2nQ')
  assert.deepEqual([body.calculation_id, body.calculated_at], ['calc_8M2nQ_2026-06-15', '2026-06-15T00:00:00.001Z'])
  assert.deepEqual([body.shortfall, body.breakdown.days_in_period, body.breakdown.upcoming_bills_total], [440, 7, 0])
})

test('results are separate for test and live and for each partner', async () => {
  const [own, other] = [await createPartner(database, { production: true }), await createPartner(database)]
  await send(url, 'POST', '/api/v1/ingest', { key: own.liveKey, body: example })
  assert.equal((await currentOf(own.testKey, 'usr_8M2nQ')).status, 404)
  assert.equal((await currentOf(own.liveKey, 'usr_8M2nQ')).body.is_sandbox, false)
  assert.equal((await currentOf(other.testKey, 'usr_8M2nQ')).status, 404)
})

test('calculating requires a token’s scope calculations:read, and ingesting calculations:write', async () => {
  const partner = await createPartner(database)
  const [reader, writer] = [await partner.token(['calculations:read']), await partner.token(['calculations:write'])]
  assert.equal((await send(url, 'POST', paths[0] ?? '', { key: reader, body: example })).status, 200)
  assert.equal(
    (await send(url, 'POST', '/api/v1/ingest', { key: reader, body: example })).body.missingScope,
    'calculations:write'
  )
  assert.equal((await send(url, 'POST', '/api/v1/ingest', { key: writer, body: example })).status, 200)
  assert.equal((await currentOf(writer, 'usr_8M2nQ')).body.missingScope, 'calculations:read')
})

test('an invalid request is rejected with every invalid field', async () => {
  const { testKey } = await createPartner(database)
  const refused: [unknown, string[]][] = [
    [{}, ['body/cash_balance', 'body/end_user_id']],
    [{ ...example, cash_balance: 1.005 }, ['body/cash_balance']],
    [{ ...example, cash_balance: '4218.50', cash_buffer: -1 }, ['body/cash_balance', 'body/cash_buffer']],
    [
      { ...example, upcoming_bills: [{ amount: 1 }, { amount: -1, due_in_days: 1.5 }] },
      ['body/upcoming_bills/0/due_in_days', 'body/upcoming_bills/1/amount', 'body/upcoming_bills/1/due_in_days']
    ],
    [
      { ...example, days_in_period: 0, upcoming_income: [{ amount: 1, due_in_days: 3651 }] },
      ['body/days_in_period', 'body/upcoming_income/0/due_in_days']
    ],
    [{ ...example, end_user_id: 'a\u0000', currency: 'USD' }, ['body/currency', 'body/end_user_id']]
  ]
  for (const path of paths) {
    for (const [body, fields] of refused) {
      const response = await send(url, 'POST', path, { key: testKey, body })
      assert.equal(response.status, 400)
      assert.deepEqual(response.body.errors.map((error: { path: string }) => error.path).sort(), fields)
    }
  }
  assert.deepEqual(
    (await send(url, 'GET', '/v1/calculations/safe-to-spend', { key: testKey })).body.errors[0].path,
    'query/end_user_id'
  )
})
