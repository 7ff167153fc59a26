import assert from 'node:assert/strict'
import { findMiscounted } from '../../modules/bureau/queries/recount.ts'
import { isLegalStep } from '../../modules/payments/transfer-states.ts'
import type { Db } from '../../plugins/database/types.ts'
import { verifyLedger } from '../../plugins/ledger/verify.ts'
import { send } from '../credentials.ts'
import { until } from '../machines/waiting.ts'
import type { Received } from '../modules/webhooks/setup.ts'
import type { KeptPromise, PromiseKind, Promises } from './promises.ts'

/** How many effects each key has had. Every effect carries its key. */
const effectsOf: Record<PromiseKind, (db: Db) => Promise<string[]>> = {
  spend: async (db) =>
    (await db.selectFrom('ledger_transactions').select('description').where('type', '=', 'spend').execute()).map(
      (row) => row.description
    ),
  report: async (db) =>
    (
      await db.selectFrom('bureau_events').select('reporter_name').where('reporter_platform', '=', 'load').execute()
    ).map((row) => row.reporter_name),
  transfer: async (db) =>
    (await db.selectFrom('transfers').select('memo').where('state', '<>', 'preparing').execute()).map(
      (row) => row.memo ?? ''
    )
}

const succeeded = ({ settled }: KeptPromise): boolean => settled !== undefined && settled.status < 300

/** Asserts that no acknowledged effect is lost or duplicated, and that there are no effects without a request or of a rejected request. */
const assertEffects = async (db: Db, { all: promises, prefix }: Promises): Promise<void> => {
  for (const kind of ['spend', 'report', 'transfer'] as const) {
    const ofKind = promises.filter((promise) => promise.kind === kind)
    assert.deepEqual(
      ofKind.filter(({ settled }) => settled === undefined),
      [],
      'every operation is settled'
    )
    const wanted = ofKind.filter(succeeded).map(({ key }) => key)
    const effects = (await effectsOf[kind](db)).filter((mark) => mark.startsWith(prefix))
    assert.deepEqual(effects.sort(), wanted.sort(), `each acknowledged ${kind} has its effect once`)
  }
}

const assertBook = async (db: Db): Promise<void> => {
  const { faults } = await verifyLedger(db)
  assert.deepEqual(faults, [], 'the ledger is consistent')
  assert.deepEqual(await findMiscounted(db), [], 'the bureau’s counters equal a recount')
}

/** Asserts that every transfer made only legal transitions, and is in the state of its last event. */
export const assertTransfers = async (db: Db): Promise<void> => {
  const transfers = await db.selectFrom('transfers').select(['id', 'state']).where('state', '<>', 'preparing').execute()
  const events = await db
    .selectFrom('transfer_events')
    .select(['transfer_id', 'state', 'sequence'])
    .orderBy('transfer_id')
    .orderBy('sequence')
    .execute()
  for (const { id, state } of transfers) {
    const own = events.filter((event) => event.transfer_id === id)
    assert.deepEqual(
      own.map(({ sequence }) => sequence),
      own.map((_, index) => index + 1),
      `the events of ${id} have no gap`
    )
    assert.equal(own.at(-1)?.state, state, `${id} is in the state of its last event`)
    for (const [index, event] of own.entries())
      if (index > 0)
        assert.ok(
          isLegalStep(own[index - 1]!.state, event.state),
          `${id} went from ${own[index - 1]!.state} to ${event.state}`
        )
  }
}

/** Asserts that a replay returns the first response byte for byte. */
const assertReplays = async (url: string, promises: KeptPromise[], most: number): Promise<number> => {
  const wanted = promises.filter(succeeded).slice(-most)
  for (const { key, credential, path, body, settled } of wanted) {
    const again = await send(url, 'POST', path, { key: credential, body, headers: { 'idempotency-key': key } })
    assert.deepEqual(
      [again.status, again.text, again.headers.get('idempotent-replayed')],
      [settled?.status, settled?.text, 'true'],
      `a replay of ${key}`
    )
  }
  return wanted.length
}

/** Asserts that the partner's feed has every committed event without a gap, and one event for each acknowledged spend. */
const assertEvents = async (db: Db, partnerId: string, { all: promises, prefix }: Promises): Promise<string[]> => {
  const pending = () => db.selectFrom('events').select('id').where('sequence', 'is', null).limit(1).execute()
  await until('every event is published', async () => (await pending()).length === 0)
  const events = await db
    .selectFrom('events')
    .select(['id', 'type', 'data', 'sequence'])
    .where('partner_id', '=', partnerId)
    .orderBy('sequence')
    .execute()
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    events.map((_, index) => index + 1),
    'the feed has no gap'
  )
  const spends = events
    .filter(({ type }) => type === 'agent.spend')
    .map(({ data }) => String(data.description))
    .filter((mark) => mark.startsWith(prefix))
  assert.deepEqual(
    spends.sort(),
    promises
      .filter((promise) => promise.kind === 'spend' && succeeded(promise))
      .map(({ key }) => key)
      .sort(),
    'each spend has one event'
  )
  return events.map(({ id }) => id)
}

export interface Evidence {
  db: Db
  /** URL of a healthy server. */
  url: string
  partnerId: string
  promises: Promises
  /** Deliveries to the partner's webhook endpoint, which is subscribed to every type. */
  received: Received[]
  /** The number of events from before the endpoint was created. */
  eventsBefore: number
  /** How many of the last operations are replayed; 50, unless the clock has jumped past the lifetime of some keys. */
  replays?: number
}

/**
 * Asserts every invariant that must hold once the faults are over and every operation is settled.
 * @returns a summary with numbers of what was verified.
 */
export const assertEverythingHolds = async ({
  db,
  url,
  partnerId,
  promises,
  received,
  eventsBefore,
  replays: mostReplays = 50
}: Evidence): Promise<string> => {
  await assertBook(db)
  await assertEffects(db, promises)
  await assertTransfers(db)
  const replays = await assertReplays(url, promises.all, mostReplays)
  const events = await assertEvents(db, partnerId, promises)
  const wanted = events.slice(eventsBefore)
  await until('every event has arrived', () => {
    const arrived = new Set(received.map(({ event }) => event.id))
    return wanted.every((id) => arrived.has(id))
  })
  const known = new Set(events)
  assert.deepEqual(
    received.filter(({ event }) => !known.has(event.id)).map(({ event }) => event.id),
    [],
    'every delivered event is committed'
  )
  const kept = promises.all.filter(succeeded).length
  const statuses = [...promises.statuses].sort().map(([status, times]) => `${times}× ${status}`)
  return `${promises.all.length} operations, ${kept} acknowledged and done once each, ${replays} identical replays, ${wanted.length} events arrived in ${received.length} deliveries; statuses: ${statuses.join(', ')}`
}
