import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { TestApp } from '../build-app.ts'
import { send, type Answered } from '../credentials.ts'
import { password, register } from '../modules/identity/client.ts'

/** One real resource of every kind that a partner can have, by its identifier. */
export interface Resources {
  partner: string
  session: string
  apiKey: string
  token: string
  idempotencyKey: string
  endUser: string
  item: string
  publicToken: string
  account: string
  recipient: string
  transfer: string
  webhook: string
  delivery: string
  /** The sequence number of one of the partner's events. */
  sequence: string
  agent: string
  agentKey: string
  approval: number
  /** Of another tenant, on which the partner furnishes the bureau. */
  furnishedAgent: string
  creditAccount: number
  /** By another partner, on the agent. */
  report: number
  /** By the partner, and disputed. */
  furnishedReport: number
  loan: number
  checkoutSession: string
  project: string
  task: string
  /** Another task, on which the first can depend. */
  earlierTask: string
}

export interface PartnerWithResources {
  resources: Resources
  /** Identifiers of these and of the second resource of each kind that no other partner may see. */
  secrets: string[]
  /** The partner's test key, its user's access token and its agent's key. */
  keys: { partner: string; session: string; agent: string }
}

/** Another tenant, which reports on the partner's agents and has agents on which the partner reports. */
export interface Neighbour {
  key: string
  /** The access token of its user. */
  session: string
}

/** Sends a request that has to succeed, and returns the body. */
export type Call = (
  method: string,
  path: string,
  body?: unknown,
  key?: string,
  headers?: Record<string, string>
) => Promise<Answered['body']>

/** Sends requests as a client does. Any response other than 2xx fails the test. */
export const clientOf =
  (url: string, ownKey: string): Call =>
  async (method, path, body, key = ownKey, headers = {}) => {
    const response = await send(url, method, path, { key, body, headers })
    assert.ok(response.status < 300, `${method} ${path} returned ${response.status}: ${response.text}`)
    return response.body
  }

export const linkItem = async (call: Call, endUser: string) => {
  const { public_token: publicToken } = await call('POST', '/v1/sandbox/public_token', {})
  const linked = await call('POST', '/v1/accounts/link', { public_token: publicToken, user_id: endUser })
  const checking = (linked.accounts as { account_id: string; mask: string }[]).find(({ mask }) => mask === '0000')
  assert.ok(checking)
  return { publicToken: String(publicToken), item: String(linked.item_id), account: checking.account_id }
}

export const moveMoney = async (call: Call, account: string, mark: string) => {
  const idempotencyKey = `key-${mark}`
  const numbers = { routing_number: '021000021', account_number: '000123456789', account_type: 'checking' }
  const { id: recipient } = await call('POST', '/v1/recipients', { name: 'Corner Coffee LLC', ...numbers }, undefined, {
    'idempotency-key': idempotencyKey
  })
  const { id: transfer } = await call('POST', '/v1/transfers', {
    from_account_id: account,
    to_account_id: recipient,
    amount: 1
  })
  return { idempotencyKey, recipient: String(recipient), transfer: String(transfer) }
}

/** Two loans, one after the other, because an agent has one at a time. The second stays open. */
const borrowTwice = async (call: Call, agentKey: string): Promise<number> => {
  const first = await call('POST', '/api/loans', { amount: 10 }, agentKey)
  await call('POST', `/api/loans/${first.loan_id}/repay`, { amount: 10 }, agentKey)
  return Number((await call('POST', '/api/loans', { amount: 10 }, agentKey)).loan_id)
}

const paymentOnTime = { reporter_name: 'A furnisher', reporter_platform: 'elsewhere', report_type: 'payment_ontime' }

/** An enrolled agent of another tenant. */
export const makeFurnishedAgent = async (call: Call, { session }: Neighbour, mark: string): Promise<string> => {
  const agent = `furnished-${mark}`
  await call('POST', '/api/register', { agent_id: agent }, session)
  await call('POST', '/v2/api/register', { agent_id: agent })
  return agent
}

export const openAccount = async (call: Call, agent: string): Promise<number> => {
  const opening = { agent_id: agent, action: 'open', account_type: 'credit', credit_limit: 100, platform: 'elsewhere' }
  return Number((await call('POST', '/v2/api/account', opening)).account_id)
}

/** A report by the partner of a key, by default the caller's own. */
export const makeReport = async (call: Call, agent: string, key?: string): Promise<number> =>
  Number((await call('POST', '/v2/api/report', { agent_id: agent, ...paymentOnTime }, key)).id)

/** A report by the partner that its agent's owner disputes. */
export const makeDisputedReport = async (call: Call, { session }: Neighbour, agent: string): Promise<number> => {
  const report = await makeReport(call, agent)
  await call('POST', `/v2/api/reports/${report}/dispute`, { reason: 'Not mine.' }, session)
  return report
}

/** Reports by the partner on an agent of another tenant. */
const furnish = async (call: Call, neighbour: Neighbour, mark: string) => {
  const furnishedAgent = await makeFurnishedAgent(call, neighbour, mark)
  return {
    furnishedAgent,
    creditAccount: await openAccount(call, furnishedAgent),
    furnishedReport: await makeDisputedReport(call, neighbour, furnishedAgent)
  }
}

/** An agent with a pending approval, a loan and an open checkout. */
export const makeAgent = async (call: Call, session: string, neighbour: Neighbour, agent: string) => {
  const agentKey = String((await call('POST', '/api/register', { agent_id: agent }, session)).api_key)
  await call('POST', '/v2/api/register', { agent_id: agent })
  // Enough reports from another partner to qualify for a loan.
  let report = 0
  for (let n = 0; n < 5; n++) report = await makeReport(call, agent, neighbour.key)
  const loan = await borrowTwice(call, agentKey)
  const approval = Number(
    (await call('POST', '/api/spend', { amount: 1, require_approval: true }, agentKey)).approval_id
  )
  const { checkout_url: page } = await call('POST', '/api/checkout', { agent_id: agent, amount: 10 }, session)
  const checkoutSession = /cs_\w+/.exec(String(page))?.[0]
  assert.ok(checkoutSession)
  return { agent, agentKey, report, loan, approval, checkoutSession }
}

export const makeWebhook = async (call: Call, endUser: string) => {
  // No process listens there. One failed attempt is enough.
  const { id: webhook } = await call('POST', '/v1/webhooks', { url: 'http://127.0.0.1:9/hooks', events: ['*'] })
  const { id: delivery } = await call('POST', `/v1/webhooks/${webhook}/test`)
  await call('POST', `/v1/webhooks/${webhook}/test`)
  await call('POST', '/api/v1/ingest', { end_user_id: endUser, cash_balance: 100 })
  return { webhook: String(webhook), delivery: String(delivery) }
}

export const makeWork = async (call: Call) => {
  const project = String((await call('POST', '/v1/projects', { name: 'Quarterly close' })).id)
  const make = async (title: string) => String((await call('POST', '/v1/tasks', { projectId: project, title })).id)
  return { project, earlierTask: await make('Gather'), task: await make('Review') }
}

export const makeCredentials = async (call: Call, session: string) => {
  const { id: apiKey } = await call('POST', '/v1/api-keys', { name: 'Another', environment: 'test' }, session)
  const { id: token } = await call(
    'POST',
    '/v1/tokens',
    { name: 'A token', scopes: ['accounts:read'], environment: 'test' },
    session
  )
  return { apiKey: String(apiKey), token: String(token) }
}

/** One resource of every kind that can be created repeatedly. `mark` makes their names unique. */
export const createResources = async (
  call: Call,
  session: string,
  neighbour: Neighbour,
  endUser: string,
  mark: string
) => {
  const bank = await linkItem(call, endUser)
  return {
    ...bank,
    ...(await makeCredentials(call, session)),
    ...(await makeWork(call)),
    ...(await moveMoney(call, bank.account, mark)),
    ...(await makeWebhook(call, endUser)),
    ...(await furnish(call, neighbour, mark)),
    ...(await makeAgent(call, session, neighbour, `agent-${mark}`))
  }
}

export const createNeighbour = async ({ url }: TestApp): Promise<Neighbour> => {
  const { jwt: session } = await register(url, `neighbour-${randomBytes(6).toString('hex')}@example.test`)
  const { key } = await clientOf(url, session)('POST', '/v1/api-keys', { name: 'A key', environment: 'test' })
  return { key: String(key), session }
}

/** A new partner with two resources of every kind, so that every list has a second page, created through the API as its clients would. */
export const createPartnerWithResources = async (
  { url, app, database }: TestApp,
  neighbour: Neighbour
): Promise<PartnerWithResources> => {
  const mark = randomBytes(6).toString('hex')
  const { jwt: session, userId, partnerId } = await register(url, `owner-${mark}@example.test`)
  // Operators are appointed on the server, and only they can access other partners at all.
  await database.db.updateTable('users').set({ operator: true }).where('id', '=', userId).execute()
  const credentials = { email: `owner-${mark}@example.test`, password }
  await clientOf(url, '')('POST', '/api/v1/auth/login', credentials)
  const { key: partner } = await clientOf(url, session)('POST', '/v1/api-keys', { name: 'A key', environment: 'test' })
  const call = clientOf(url, String(partner))
  const endUser = `usr_of_${mark}`
  const first = await createResources(call, session, neighbour, endUser, `${mark}-1`)
  const made = await createResources(call, session, neighbour, endUser, `${mark}-2`)
  await call('GET', `/v1/transactions?user_id=${endUser}`)
  await app.outbox.settle()
  const { items: sessions } = await call('GET', '/api/v1/users/me/sessions', undefined, session)
  const { items: events } = await call('GET', '/v1/events?limit=1')
  const other = (sessions as { id: string; current: boolean }[]).find(({ current }) => !current)
  assert.ok(other)
  const resources = { ...made, partner: partnerId, endUser, session: other.id, sequence: String(events[0].sequence) }
  // End-user ids are no secret: another partner may use the same ones.
  const secrets = [first, resources].flatMap((each) =>
    Object.entries(each)
      .filter(([kind, id]) => kind !== 'endUser' && typeof id === 'string' && id.length > 4)
      .map(([, id]) => String(id))
  )
  return { resources, secrets, keys: { partner: String(partner), session, agent: made.agentKey } }
}
