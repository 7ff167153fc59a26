import assert from 'node:assert/strict'
import fc from 'fast-check'
import { t, test } from 'tap'
import type { IngestEvent } from '../../../spec/generated/ingest.ts'
import { createPartner, send } from '../../credentials.ts'
import { startApp } from '../../build-app.ts'
import { search } from '../../search.ts'

const secret = 'an-ingest-secret-of-a-test'
const { url, database } = await startApp(t, { env: { ATLAS_INGEST_SECRET: secret } })

const ingest = async (events: IngestEvent[]) => {
  const answered = await send(url, 'POST', '/api/ingest/events/batch', {
    body: { events },
    headers: { 'x-atlas-ingest-secret': secret }
  })
  assert.equal(answered.status, 200, answered.text)
  return answered.body as { accepted: number; duplicates: number }
}
const usage = async (key: string, query: string) => await send(url, 'GET', `/v1/usage?${query}`, { key })

const summarise = (events: IngestEvent[]) => ({
  user_signups: events.filter((event) => event.event_type === 'user_signup').length,
  account_links: events.filter((event) => event.event_type === 'account_link').length,
  transactions: events.filter((event) => event.event_type === 'transaction').length,
  volume_cents: events.reduce((sum, event) => sum + (event.amount_cents ?? 0), 0),
  active_users: new Set(events.flatMap((event) => event.user_id ?? [])).size
})

const groupBy = <T>(items: T[], nameOf: (item: T) => string | null): Map<string | null, T[]> => {
  const groups = new Map<string | null, T[]>()
  for (const item of items) groups.set(nameOf(item), [...(groups.get(nameOf(item)) ?? []), item])
  return groups
}

/** The expected usage, counted from the events themselves. */
const recount = (events: IngestEvent[], from: string, to: string, unitMs: number) => {
  const starts = Array.from(
    { length: (Date.parse(to) - Date.parse(from)) / unitMs },
    (_, index) => Date.parse(from) + index * unitMs
  )
  const within = (event: IngestEvent, start: number, end: number) =>
    Date.parse(event.occurred_at ?? '') >= start && Date.parse(event.occurred_at ?? '') < end
  const inRange = events.filter((event) => within(event, Date.parse(from), Date.parse(to)))
  const categories = groupBy(
    inRange.filter((event) => event.event_type === 'transaction'),
    (event) => event.category ?? null
  )
  const institutions = groupBy(
    inRange.filter((event) => event.event_type === 'account_link'),
    (event) => event.institution ?? null
  )
  return {
    totals: summarise(inRange),
    intervals: starts.map((start) => ({
      start: new Date(start).toISOString(),
      ...summarise(inRange.filter((event) => within(event, start, start + unitMs)))
    })),
    by_category: [...categories].map(([category, list]) => ({
      category,
      transactions: list.length,
      volume_cents: summarise(list).volume_cents
    })),
    by_institution: [...institutions].map(([institution, list]) => ({ institution, account_links: list.length }))
  }
}

const byText = (a: object, b: object): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

const anyEvent = fc
  .record({
    event_type: fc.constantFrom('user_signup' as const, 'account_link' as const, 'transaction' as const),
    partner: fc.nat(1),
    user_id: fc.option(fc.constantFrom('usr_1', 'usr_2', 'usr_3', 'usr_4'), { nil: undefined }),
    amount_cents: fc.option(fc.nat(10_000_000), { nil: undefined }),
    name: fc.option(fc.constantFrom('rent', 'dining', 'groceries'), { nil: undefined }),
    minute: fc.nat(4 * 24 * 60)
  })
  .map(({ event_type, partner, user_id, amount_cents, name, minute }) => ({
    partner,
    event: {
      event_type,
      user_id,
      ...(event_type === 'transaction' ? { amount_cents, category: name } : {}),
      ...(event_type === 'account_link' ? { institution: name } : {}),
      occurred_at: new Date(Date.parse('2026-06-09T00:00:00Z') + minute * 60_000).toISOString()
    }
  }))

test('the sums equal a recount, whatever events are sent once, twice or concurrently', async () => {
  const days = { from: '2026-06-09T00:00:00.000Z', to: '2026-06-13T00:00:00.000Z', interval: 'day', unitMs: 86_400_000 }
  const hours = {
    from: '2026-06-10T05:00:00.000Z',
    to: '2026-06-11T09:00:00.000Z',
    interval: 'hour',
    unitMs: 3_600_000
  }
  const plan = fc.record({
    pool: fc.array(anyEvent, { minLength: 1, maxLength: 40 }),
    picks: fc.array(fc.array(fc.nat(39), { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 6 })
  })
  await fc.assert(
    fc.asyncProperty(plan, async ({ pool, picks }) => {
      const partners = [await createPartner(database), await createPartner(database)]
      const sent = pool.map(({ partner, event }, index): IngestEvent => ({
        ...event,
        partner_id: partners[partner]?.partnerId ?? '',
        event_id: `evt-${index}`
      }))
      const batches = picks.map((batch) => batch.map((pick) => sent[pick % sent.length] as IngestEvent))
      const receipts = await Promise.all(batches.map(ingest))
      const different = new Set<IngestEvent>(picks.flat().map((pick) => sent[pick % sent.length] as IngestEvent))
      assert.equal(
        receipts.reduce((sum, receipt) => sum + receipt.accepted, 0),
        different.size
      )
      for (const { partnerId, testKey } of partners) {
        const own = [...different].filter((event) => event.partner_id === partnerId)
        for (const { from, to, interval, unitMs } of [days, hours]) {
          const { body } = await usage(testKey, `from=${from}&to=${to}&interval=${interval}`)
          const expected = recount(own, from, to, unitMs)
          assert.deepEqual({ from: body.from, to: body.to, interval: body.interval }, { from, to, interval })
          assert.deepEqual(body.totals, expected.totals)
          assert.deepEqual(body.intervals, expected.intervals)
          assert.deepEqual(body.by_category.toSorted(byText), expected.by_category.sort(byText))
          assert.deepEqual(body.by_institution.toSorted(byText), expected.by_institution.sort(byText))
        }
      }
    }),
    search(20)
  )
})

test('concurrent batches that name the same partners, users and events in opposite orders all succeed', async () => {
  const partners = await Promise.all(Array.from({ length: 4 }, () => createPartner(database)))
  const events = partners.flatMap(({ partnerId }) =>
    Array.from({ length: 30 }, (_, index): IngestEvent => ({
      partner_id: partnerId,
      event_type: 'transaction',
      user_id: `usr_${index % 7}`,
      amount_cents: index,
      category: `category ${index % 5}`,
      occurred_at: new Date(Date.parse('2026-06-10T00:00:00Z') + index * 3_000_000).toISOString(),
      event_id: `evt-${index}`
    }))
  )
  const unnamed = ({ event_id: _, ...event }: IngestEvent): IngestEvent => event
  const rounds = Array.from({ length: 12 }, (_, round) => (round % 2 === 0 ? events : events.toReversed()))
  const receipts = await Promise.all(rounds.flatMap((batch) => [ingest(batch), ingest(batch.map(unnamed))]))
  assert.equal(
    receipts.reduce((sum, receipt) => sum + receipt.accepted, 0),
    events.length * 13
  )
  for (const { testKey } of partners) {
    const { body } = await usage(testKey, 'from=2026-06-10&to=2026-06-11')
    assert.deepEqual(body.totals, {
      user_signups: 0,
      account_links: 0,
      transactions: 30 * 13,
      volume_cents: 435 * 13,
      active_users: 7
    })
  }
})

test('the default range is the last 30 days without gaps, with zeros for days without events', async () => {
  const { testKey } = await createPartner(database)
  const { status, body } = await usage(testKey, '')
  assert.equal(status, 200)
  assert.deepEqual(
    [body.from, body.to, body.interval, body.intervals.length],
    ['2026-05-16T00:00:00.000Z', '2026-06-15T00:00:00.000Z', 'day', 30]
  )
  assert.deepEqual(body.intervals[0], {
    start: '2026-05-16T00:00:00.000Z',
    user_signups: 0,
    account_links: 0,
    transactions: 0,
    volume_cents: 0,
    active_users: 0
  })
  const byHour = (await usage(testKey, 'interval=hour')).body
  assert.deepEqual(
    [byHour.from, byHour.to, byHour.intervals.length],
    ['2026-05-15T19:00:00.000Z', '2026-06-14T19:00:00.000Z', 720]
  )
})

test('a date as `to` includes that day, and a timestamp is exclusive', async () => {
  const { partnerId, testKey } = await createPartner(database)
  const at = (occurred_at: string): IngestEvent => ({ partner_id: partnerId, event_type: 'user_signup', occurred_at })
  await ingest([
    at('2026-06-09T23:59:59.999Z'),
    at('2026-06-10T00:00:00Z'),
    at('2026-06-10T23:59:59.999Z'),
    at('2026-06-11T00:00:00Z')
  ])
  const ranges: [string, string, string, number][] = [
    ['from=2026-06-10&to=2026-06-10', '2026-06-10T00:00:00.000Z', '2026-06-11T00:00:00.000Z', 2],
    ['from=2026-06-10&to=2026-06-11T00:00:00Z', '2026-06-10T00:00:00.000Z', '2026-06-11T00:00:00.000Z', 2],
    ['from=2026-06-10T12:00:00Z&to=2026-06-10T13:00:00Z', '2026-06-10T00:00:00.000Z', '2026-06-11T00:00:00.000Z', 2],
    [
      'from=2026-06-10T23:30:00Z&to=2026-06-11T00:00:01Z&interval=hour',
      '2026-06-10T23:00:00.000Z',
      '2026-06-11T01:00:00.000Z',
      2
    ],
    [
      'from=2026-06-10T02:00:00%2B02:00&to=2026-06-10&interval=hour',
      '2026-06-10T00:00:00.000Z',
      '2026-06-11T00:00:00.000Z',
      2
    ],
    ['from=2026-06-10T12:00:00Z&to=2026-06-10', '2026-06-10T00:00:00.000Z', '2026-06-11T00:00:00.000Z', 2],
    ['from=2026-06-09&to=2026-06-11', '2026-06-09T00:00:00.000Z', '2026-06-12T00:00:00.000Z', 4]
  ]
  for (const [query, from, to, signups] of ranges) {
    const { body } = await usage(testKey, query)
    assert.deepEqual([body.from, body.to, body.totals?.user_signups], [from, to, signups], query)
  }
})

test('a range that is backwards, too long or invalid is rejected with the name of the parameter', async () => {
  const { testKey } = await createPartner(database)
  const refused: [string, string[]][] = [
    ['from=2026-06-11&to=2026-06-10', ['query/from']],
    ['from=2026-06-15', ['query/from']],
    ['from=2025-06-13', ['query/from']],
    ['from=2026-05-01&to=2026-06-01&interval=hour', ['query/from']],
    ['from=yesterday-1&to=2026-02-30', ['query/from', 'query/to']],
    ['from=1969-12-31&to=3000-01-01', ['query/from', 'query/to']],
    ['from=2026-06-10T00:00:00', ['query/from']],
    ['interval=week', ['query/interval']]
  ]
  for (const [query, paths] of refused) {
    const { status, body } = await usage(testKey, query)
    assert.equal(status, 400, query)
    assert.deepEqual(
      body.errors.map((error: { path: string }) => error.path),
      paths,
      query
    )
  }
  assert.equal((await usage(testKey, 'from=2025-06-14')).body.intervals.length, 366)
  assert.equal((await usage(testKey, 'from=2026-05-01&to=2026-05-31&interval=hour')).body.intervals.length, 744)
})

test('usage requires a key or a token with usage:read, and each partner sees only its own', async () => {
  const [own, other] = [await createPartner(database), await createPartner(database)]
  await ingest([{ partner_id: own.partnerId, event_type: 'user_signup' }])
  assert.equal((await usage(await own.token(['usage:read']), '')).body.totals.user_signups, 1)
  assert.equal((await usage(other.testKey, '')).body.totals.user_signups, 0)
  const refused = await usage(await own.token(['accounts:read']), '')
  assert.equal(refused.status, 403)
  assert.equal(refused.body.missingScope, 'usage:read')
  assert.equal((await send(url, 'GET', '/v1/usage')).status, 401)
})
