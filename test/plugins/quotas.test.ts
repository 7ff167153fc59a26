import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { t, test } from 'tap'
import { quotas, type Quota } from '../../plugins/quotas.ts'
import type { Answered } from '../credentials.ts'
import { send } from '../credentials.ts'
import { login, password } from '../modules/identity/client.ts'
import { startWorld } from '../modules/linking/world.ts'

const world = await startWorld(t)
const { url, partner } = world
const { db } = world.database
const key = partner.testKey

/** A session of a user of the partner. */
const signIn = async (): Promise<string> => {
  const email = 'owner@example.com'
  await send(url, 'POST', '/api/v1/auth/register', { body: { email, password } })
  await sql`update memberships set partner_id = ${partner.partnerId} where user_id = (select id from users where email = ${email})`.execute(
    db
  )
  return (await login(url, email)).jwt
}
const session = await signIn()
const owner = (await sql<{ id: string }>`select id from users where email = 'owner@example.com'`.execute(db)).rows[0]
  ?.id

/** How many to add to `existing` ones so that one place is left. */
const toFill = (resource: Quota, existing: number): number => quotas[resource].limit - existing - 1

/** Asserts that of concurrent requests for the last place exactly one succeeds. */
const expectOnePlace = async (resource: Quota, create: (index: number) => Promise<Answered>): Promise<void> => {
  const responses = await Promise.all([0, 1, 2].map(create))
  const refused = responses.filter(({ status }) => status === 422)
  assert.equal(refused.length, 2, responses.map(({ text }) => text).join())
  for (const { body } of refused)
    assert.deepEqual([body.error, body.resource, body.limit], ['limit_reached', resource, quotas[resource].limit])
}

const fillCredentials = (kind: 'partner_key' | 'token', count: number) =>
  sql`insert into credentials (id, hash, kind, partner_id, user_id, name, environment, scopes, hint, created_at)
    select ${kind} || n, sha256((${kind} || n)::bytea), ${kind}, ${partner.partnerId}, ${partner.userId}, 'filler', 'test', '{}', '', now()
    from generate_series(1, ${count}::int) n`.execute(db)

test('API keys and tokens of a partner are bounded under concurrency; revoked ones do not count', async () => {
  await fillCredentials('partner_key', toFill('api_keys', 2))
  const createKey = () =>
    send(url, 'POST', '/v1/api-keys', { key: session, body: { name: 'Backend', environment: 'test' } })
  await expectOnePlace('api_keys', createKey)
  assert.equal((await send(url, 'DELETE', '/v1/api-keys/partner_key1', { key: session })).status, 204)
  assert.equal((await createKey()).status, 201)
  await fillCredentials('token', toFill('tokens', 0))
  await expectOnePlace('tokens', () =>
    send(url, 'POST', '/v1/tokens', { key: session, body: { name: 'Script', scopes: ['usage:read'] } })
  )
})

test('items of an end-user and end-users in test mode are bounded under concurrency', async () => {
  const publicToken = async (): Promise<string> =>
    (await world.post('/v1/sandbox/public_token')).body.public_token as string
  const fillItems = (userId: string, count: number) =>
    sql`insert into items (id, partner_id, environment, user_id, plaid_item_id, access_token, created_at)
      select 'filler_' || ${userId}::text || n, ${partner.partnerId}, 'test', replace(${userId}, '#', n::text), 'plaid_' || ${userId}::text || n, '', now()
      from generate_series(1, ${count}::int) n`.execute(db)
  await fillItems('usr_many', toFill('items', 0))
  const tokens = await Promise.all([1, 2, 3, 4, 5, 6].map(publicToken))
  const linkTo = (user_id: string, token: string | undefined) =>
    world.post('/v1/accounts/link', { public_token: token, user_id })
  await expectOnePlace('items', (index) => linkTo('usr_many', tokens[index]))
  await fillItems('usr_#', toFill('test_end_users', 1))
  await expectOnePlace('test_end_users', (index) => linkTo(`usr_new_${index}`, tokens[3 + index]))
})

test('calculations of test end-users are bounded, and those of known end-users are replaced', async () => {
  await sql`insert into safe_to_spend select ${partner.partnerId}, 'test', 'usr_' || n, 'calc', now(), 30, 0, 0, 0, 0, 0
    from generate_series(1, ${toFill('test_calculations', 0)}::int) n`.execute(db)
  const ingest = (end_user_id: string) => {
    const zero = { cash_balance: 100, cash_buffer: 0, savings_commitments: 0, debt_commitments: 0 }
    return world.post('/api/v1/ingest', { end_user_id, ...zero, upcoming_bills: [] })
  }
  await expectOnePlace('test_calculations', (index) => ingest(`usr_more_${index}`))
  assert.equal((await ingest('usr_1')).status, 200)
})

test('recipients of a partner are bounded under concurrency', async () => {
  await sql`insert into recipients (id, partner_id, environment, name, routing_number, account_number, mask, account_type, plaid_account_id, access_token, created_at)
    select 'acc_recipient_' || n, ${partner.partnerId}, 'test', 'filler', '021000021', '', '6789', 'checking', 'acc_' || n, '', now()
    from generate_series(1, ${toFill('recipients', 0)}::int) n`.execute(db)
  await expectOnePlace('recipients', (index) =>
    world.post('/v1/recipients', {
      name: 'Coffee',
      routing_number: '021000021',
      account_number: `00012345678${index}`,
      account_type: 'checking'
    })
  )
})

test('agents of a user are bounded, whether registered, claimed or paid for; revoked ones do not count', async () => {
  const count = toFill('agents', 0)
  await sql`insert into ledger_wallets (wallet_id, created_at) select 'filler-' || n, now() from generate_series(1, ${count}::int) n`.execute(
    db
  )
  await sql`insert into agents (agent_id, name, owner_user_id, owner_partner_id, api_key, created_at)
    select 'filler-' || n, 'filler', ${owner}, ${partner.partnerId}, '', now() from generate_series(1, ${count}::int) n`.execute(
    db
  )
  await send(url, 'POST', '/api/register', { body: { agent_id: 'unowned' } })
  await expectOnePlace('agents', (index) =>
    send(url, 'POST', '/api/register', { key: session, body: { agent_id: index === 0 ? 'unowned' : `own-${index}` } })
  )
  const paid = await send(url, 'POST', '/api/checkout', { key: session, body: { agent_id: 'paid-for', amount: 10 } })
  assert.deepEqual([paid.status, paid.body.error], [422, 'limit_reached'])
  await sql`update agents set status = 'revoked', api_key = null where agent_id = 'filler-1'`.execute(db)
  const registered = await send(url, 'POST', '/api/register', { key: session, body: { agent_id: 'own-9' } })
  assert.equal(registered.status, 201)
})

test('projects of a partner and tasks of a project are bounded, even when tasks move', async () => {
  await sql`insert into projects (id, partner_id, environment, name, created_at, updated_at)
    select 'prj_' || n, ${partner.partnerId}, 'test', 'filler', now(), now() from generate_series(1, ${toFill('projects', 0)}::int) n`.execute(
    db
  )
  await expectOnePlace('projects', () => world.post('/v1/projects', { name: 'Another' }))
  await sql`insert into tasks (id, partner_id, environment, project_id, title, priority, status, created_at, updated_at)
    select 'tsk_' || n, ${partner.partnerId}, 'test', 'prj_1', 'filler', 'LOW', 'TODO', now(), now()
    from generate_series(1, ${toFill('tasks', 0)}::int) n`.execute(db)
  await expectOnePlace('tasks', () => world.post('/v1/tasks', { projectId: 'prj_1', title: 'One more' }))
  const elsewhere = await world.post('/v1/tasks', { projectId: 'prj_2', title: 'Elsewhere' })
  const moved = await send(url, 'PATCH', `/v1/tasks/${elsewhere.body.id}`, { key, body: { projectId: 'prj_1' } })
  assert.deepEqual([moved.status, moved.body.resource], [422, 'tasks'])
})
