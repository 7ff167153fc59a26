import assert from 'node:assert/strict'
import pg from 'pg'
import { test } from 'tap'
import { openPostgres, withState, type DatabaseHandle } from '../../../plugins/database/index.ts'
import { createPartner, send } from '../../credentials.ts'
import { createPostgresDatabase, startApp } from '../../build-app.ts'
import { walkThroughEverything } from '../../instances/walk.ts'
import { runToEnd } from '../../machines/cleanup.ts'
import { runCollection } from '../../run-collection.ts'
import { watchPlans } from './plan-watcher.ts'

const serverUrl = process.env.TEST_DATABASE_URL ?? ''
const ingestSecret = 'the-secret-of-the-walk'

/** Reads the lists by each of their filters. The statements are planned whether rows match or not. */
const filterLists = async (url: string, database: DatabaseHandle): Promise<void> => {
  const { testKey: key } = await createPartner(database)
  const { body } = await send(url, 'POST', '/v1/webhooks', { key, body: { url: `${url}/nowhere`, events: ['*'] } })
  for (const path of [
    ...['status=settled', 'account_id=acc_1', 'amount=1', 'user_id=usr_1', 'from=2026-06-14', 'to=2026-06-14'].map(
      (filter) => `/v1/transfers?${filter}`
    ),
    ...['actor=key_1', 'operation=createTransfer', 'from=2026-06-14', 'to=2026-06-14'].map(
      (filter) => `/v1/activity?${filter}`
    ),
    ...['transfer.settled', 'transfer.*', '*'].map((type) => `/v1/events?type=${type}`),
    ...['pending', 'failed', 'succeeded'].map((status) => `/v1/webhooks/${body.id}/deliveries?status=${status}`)
  ])
    assert.equal((await send(url, 'GET', path, { key })).status, 200, path)
}

/** Calls every operation of a new server, processes the resulting events, and runs each job. */
const useEverything = async (url: string): Promise<void> => {
  await runToEnd(async (t) => {
    const database = withState(openPostgres(url, 10, () => undefined))
    t.teardown(() => database.close())
    const { url: front, app } = await startApp(t, {
      database,
      env: {
        ATLAS_INGEST_SECRET: ingestSecret,
        ATLAS_LOANS_MAX_OUTSTANDING: '100000',
        ATLAS_LOANS_MAX_PER_OWNER: '10000'
      }
    })
    const { run } = await runCollection({
      collection: `${front}/v1/postman_collection.json`,
      environment: `${front}/v1/postman_environment.json`
    })
    assert.deepEqual(run.failures, [])
    await walkThroughEverything({ front, database, ingestSecret })
    await filterLists(front, database)
    await app.outbox.settle()
    await app.jobs.runAll()
  })
}

/** The daily checks of the ledger and of the bureau's counters. */
const readsWholeTables =
  /select breach from|select count\(\*\) from ledger_wallets|from bureau_events where state in \('counted', 'confirmed'\) group by agent_id/

/** Relations that may be scanned completely, because they contain little else than the wanted rows. */
const mayBeReadWhole = new Set([
  // One row per migration, check or key in use. Stripe's simulator scans its event log when it starts.
  'migrations',
  'migrations_pkey',
  'migrations_functions',
  'check_results',
  'plaid_webhook_keys_active',
  'stripe_event_log',
  // A sequence has one row.
  'events_position_seq',
  // Queues: rows leave them once they are processed.
  'events_unpublished',
  'stripe_event_log_pending',
  'transfers_preparing',
  'plaid_transfer_events_open',
  'transfer_legs_wanted',
  'transfer_legs_under_way',
  'items_to_sync',
  'stripe_payments_refused',
  // Payment pages are open for a day.
  'stripe_payments_open',
  // Unpaid loans, at most one per agent, are added up for the lending limits.
  'loans_unpaid',
  // Lists are scanned from the newest row until a page is full, skipping rows of other tenants.
  'activity_pkey',
  'bureau_events_pkey'
])

/** How a table with so few rows is read makes no difference. Autovacuum analyzes it again before it is large. */
const fewRows = 20

test(
  'every growing table is read by an index with a condition, whenever statements are planned',
  {
    skip: serverUrl === '' ? 'requires a PostgreSQL server, which reports its plans' : false
  },
  async (t) => {
    const { url, drop } = await createPostgresDatabase(serverUrl)
    const client = new pg.Client(url)
    await client.connect()
    t.teardown(async () => {
      await client.end()
      await drop()
    })
    const take = await watchPlans(t, client, readsWholeTables)
    const wholeReads = () => {
      const { carriedOut, reads } = take()
      // Without this check the test would pass if no plan was reported.
      assert.ok(carriedOut > 1_000, String(carriedOut))
      return reads.filter(({ read }) => !mayBeReadWhole.has(read) && !read.startsWith('pg_'))
    }

    await useEverything(url)
    assert.deepEqual(wholeReads(), [], 'before the tables were analyzed')

    for (let time = 0; time < 3; time++) await useEverything(url)
    await client.query('vacuum analyze')
    take()
    await useEverything(url)
    const { rows } = await client.query<{ name: string }>(
      'select relname as name from pg_class where reltuples < $1 union select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indrelid where c.reltuples < $1',
      [fewRows]
    )
    const small = new Set(rows.map(({ name }) => name))
    assert.deepEqual(
      wholeReads().filter(({ read }) => !small.has(read)),
      [],
      'after they were analyzed while small'
    )
  }
)
