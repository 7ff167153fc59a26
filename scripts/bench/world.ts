import { randomUUID } from 'node:crypto'
import { Kysely, sql, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { BenchCase } from './exchange.ts'

const agentId = 'bench-agent'
const userId = 'usr_bench'
/** Users whose banks and money the cases use in turn. */
const payers = Array.from({ length: 50 }, (_, i) => `usr_payer_${i}`)

interface Answer {
  access_token: string
  user: { partner_id: string }
  key: string
  public_token: string
  accounts: { account_id: string; subtype: string }[]
  api_key: string
  id: string
}

/** Calls the API. @throws Error unless the response is successful */
export const call = async (
  url: string,
  method: string,
  path: string,
  body?: unknown,
  token?: string
): Promise<Answer> => {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': randomUUID() })
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const answer = (await response.json()) as Answer
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`)
  return answer
}

/** Links a user's bank and waits for its transactions, so that no sync runs during a measurement. @returns the id of the checking account */
const link = async (url: string, user: string, key: string): Promise<string> => {
  const { public_token: publicToken } = await call(
    url,
    'POST',
    '/v1/sandbox/public_token',
    { institution_id: 'ins_109508' },
    key
  )
  const { accounts } = await call(url, 'POST', '/v1/accounts/link', { public_token: publicToken, user_id: user }, key)
  await call(url, 'GET', `/v1/transactions?user_id=${user}&limit=500`, undefined, key)
  const checking = accounts.find(({ subtype }) => subtype === 'checking')
  if (checking === undefined) throw new Error('The bank has no checking account.')
  return checking.account_id
}

/** Creates the data for the cases through the API: a partner whose users have linked banks, an agent with credits, an enrolment. Returns the cases. */
export const prepare = async (url: string, databaseUrl: string, ingestSecret: string): Promise<BenchCase[]> => {
  const { access_token: session, user } = await call(url, 'POST', '/api/v1/auth/register', {
    email: `${randomUUID()}@example.test`,
    password: randomUUID()
  })
  const partnerId = user.partner_id
  const { key } = await call(url, 'POST', '/v1/api-keys', { name: 'bench', environment: 'test' }, session)
  await link(url, userId, key)
  const accountIds: string[] = []
  for (const payer of payers) accountIds.push(await link(url, payer, key))
  const recipient = await call(
    url,
    'POST',
    '/v1/recipients',
    { name: 'A recipient', routing_number: '021000021', account_number: '1234567890', account_type: 'checking' },
    key
  )
  const { api_key: agentKey } = await call(url, 'POST', '/api/register', { agent_id: agentId }, session)
  await call(url, 'POST', '/v2/api/register', { agent_id: agentId })
  const client = new pg.Client(databaseUrl)
  await client.connect()
  await client.query("select ledger_post($1, 'earn', 1000000000000, 'Top-up', null, now())", [agentId])
  await client.end()

  const json = (token?: string, more: Record<string, string> = {}) => ({
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...more
  })
  const events = Array.from({ length: 500 }, (_, i) => ({
    partner_id: partnerId,
    event_type: 'transaction',
    user_id: `usr_${i}`,
    amount_cents: 100 + i,
    category: 'groceries'
  }))
  const calculation = {
    end_user_id: userId,
    cash_balance: 4218.5,
    upcoming_bills: [{ amount: 1450, due_in_days: 9 }],
    savings_commitments: 200,
    debt_commitments: 0,
    cash_buffer: 250
  }
  return [
    { name: 'health', method: 'GET', headers: {}, requests: [{ path: '/api/v1/health/live' }] },
    {
      name: 'safe-to-spend',
      method: 'POST',
      headers: json(key),
      requests: [{ path: '/v1/calculate/safe-to-spend', body: calculation }]
    },
    {
      name: 'transactions-page',
      method: 'GET',
      headers: json(key),
      requests: [{ path: `/v1/transactions?user_id=${userId}&limit=50&cursor=` }]
    },
    { name: 'score', method: 'GET', headers: {}, requests: [{ path: `/v2/api/score?agent_id=${agentId}` }] },
    {
      name: 'spend',
      method: 'POST',
      headers: json(agentKey),
      keyed: true,
      requests: [{ path: '/api/spend', body: { amount: 1, description: 'A call' } }]
    },
    {
      name: 'ingest-500',
      method: 'POST',
      headers: json(undefined, { 'x-atlas-ingest-secret': ingestSecret }),
      requests: [{ path: '/api/ingest/events/batch', body: { events } }]
    },
    {
      name: 'accounts',
      method: 'GET',
      headers: json(key),
      requests: payers.map((payer) => ({ path: `/v1/accounts?user_id=${payer}` }))
    },
    {
      name: 'transfer',
      method: 'POST',
      headers: json(key),
      keyed: true,
      requests: accountIds.map((from) => ({
        path: '/v1/transfers',
        body: { from_account_id: from, to_account_id: recipient.id, amount: 0.01, currency: 'USD' }
      }))
    }
  ]
}

const histories = (rows: number) => [
  sql`insert into ledger_transactions (type, description, created_at) select 'spend', 'history', now() from generate_series(1, ${sql.lit(rows / 2)})`,
  sql`insert into ledger_entries (transaction_id, account, wallet_id, amount_cents, balance_after_cents)
    select id, side.account, side.wallet_id, side.amount_cents, side.balance_cents from ledger_transactions
    cross join (values (${`wallet:${agentId}`}, ${agentId}, -1::bigint, 1::bigint), ('system:spend', null, 1, null)) as side (account, wallet_id, amount_cents, balance_cents)
    where description = 'history' and not exists (select from ledger_entries e where e.transaction_id = ledger_transactions.id)`,
  sql`insert into bureau_events (agent_id, kind, amount_cents, partner_id, reporter_name, reporter_platform, created_at)
    select ${agentId}, 'payment_ontime', 100, (select partner_id from items limit 1), 'history', 'history', now() - n * interval '1 second' from generate_series(1, ${sql.lit(rows)}) n`,
  sql`insert into transactions (id, partner_id, environment, user_id, position, item_id, account_id, amount_cents, iso_currency_code, date, latest_date, pending, name, category)
    select 'txn_history_' || f.head + n, f.partner_id, 'test', f.user_id, f.head + n, i.id, (select a.id from accounts a where a.item_id = i.id limit 1), 100, 'USD', current_date, current_date, false, 'history', 'FOOD_AND_DRINK'
    from transaction_feeds f join items i on i.partner_id = f.partner_id and i.user_id = f.user_id, generate_series(1, ${sql.lit(rows)}) n where f.user_id = ${userId}`,
  sql`update transaction_feeds set head = head + ${sql.lit(rows)} where user_id = ${userId}`,
  sql`insert into usage_events (partner_id, environment, event_type, user_id, amount_cents, category, occurred_at, received_at)
    select partner_id, environment, 'transaction', 'usr_' || n % 500, 100, 'groceries', now() - n * interval '1 second', now() from items, generate_series(1, ${sql.lit(rows)}) n where user_id = ${userId}`,
  sql`insert into activity (partner_id, environment, at, actor_type, actor_id, operation_id, method, route, ip, request_id)
    select partner_id, environment, now(), 'agent', ${agentId}, 'spendCredits', 'POST', '/api/spend', '127.0.0.1', 'req_history' from items, generate_series(1, ${sql.lit(rows)}) n where user_id = ${userId}`
]

/** Adds rows of history for the bench's partner and agent to each growing table, without the triggers, which would take hours. */
export const addHistory = async (databaseUrl: string, rows: number): Promise<void> => {
  const db = new Kysely<never>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: databaseUrl, max: 1 }) })
  })
  try {
    await sql`set session_replication_role = replica`.execute(db)
    for (const history of histories(rows)) await history.execute(db)
    await sql`vacuum analyze`.execute(db)
    // Otherwise PostgreSQL would write the pending pages during a measurement.
    await sql`checkpoint`.execute(db)
  } finally {
    await db.destroy()
  }
}
