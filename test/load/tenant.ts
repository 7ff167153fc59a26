import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Db } from '../../plugins/database/types.ts'
import { send, type Answered } from '../credentials.ts'
import { until } from '../machines/waiting.ts'

/** Higher than the load of any test, so that only tests of the limits reach them. */
const noLimits = { standard: 1_000_000, read: 1_000_000, write: 1_000_000 }

export interface LoadAgent {
  agentId: string
  key: string
}

export interface Tenant {
  email: string
  password: string
  partnerId: string
  /** The access token of the sign-up, good for 15 minutes. */
  token: string
  /** The refresh cookie of the sign-up. */
  cookie: string
  /** A partner key for the sandbox. */
  key: string
  /** A live key of another partner, an appointed furnisher. */
  furnisherKey: string
  agents: LoadAgent[]
  /** Two linked accounts. */
  checking: string
  savings: string
}

/** Asserts that a response is a success and returns its body. */
export const succeeded = (response: Answered): Answered['body'] => {
  assert.ok(response.status >= 200 && response.status < 300, `${response.status}: ${response.text.slice(0, 500)}`)
  return response.body
}

/** The initial credits of each agent, from two purchases of 500 dollars. */
const fundsOfAgent = 100_000
const dollarsAtOnce = 500

const balanceOf = async (url: string, agentId: string): Promise<number> =>
  Number(succeeded(await send(url, 'GET', `/api/balance?agent_id=${agentId}`)).agent.balance)

/** Buys credits as a person does: opens the checkout, pays on its page, and waits until Stripe's webhook has booked the credits. */
export const topUp = async (url: string, token: string, agentId: string, dollars: number): Promise<void> => {
  const before = await balanceOf(url, agentId)
  const { checkout_url } = succeeded(
    await send(url, 'POST', '/api/checkout', { key: token, body: { agent_id: agentId, amount: dollars } })
  )
  const paid = await fetch(String(checkout_url), {
    method: 'POST',
    body: new URLSearchParams({ action: 'pay' }),
    redirect: 'manual'
  })
  assert.equal(paid.status, 303)
  await until('the credits are booked', async () => (await balanceOf(url, agentId)) === before + dollars * 100)
}

export const signUp = async (
  url: string,
  db: Db
): Promise<Omit<Tenant, 'furnisherKey' | 'agents' | 'checking' | 'savings'>> => {
  const [email, password] = [`${randomUUID()}@example.test`, randomUUID()]
  const response = await send(url, 'POST', '/api/v1/auth/register', { body: { email, password, name: 'Load' } })
  const { access_token: token, user } = succeeded(response)
  const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  await db
    .updateTable('partners')
    .set({ rate_overrides: JSON.stringify(noLimits) })
    .where('id', '=', user.partner_id)
    .execute()
  const { key } = succeeded(
    await send(url, 'POST', '/v1/api-keys', { key: token, body: { name: 'load', environment: 'test' } })
  )
  return { email, password, partnerId: user.partner_id, token, cookie, key }
}

/** Signs up a partner that reports on the agents of others, in production too. @returns its live key */
export const signUpFurnisher = async (url: string, db: Db): Promise<string> => {
  const { partnerId, token } = await signUp(url, db)
  const appointed = { furnisher: true, production_enabled: true }
  await db.updateTable('partners').set(appointed).where('id', '=', partnerId).execute()
  const body = { name: 'furnisher', environment: 'live' }
  return String(succeeded(await send(url, 'POST', '/v1/api-keys', { key: token, body })).key)
}

const registerAgent = async (url: string, token: string, agentId: string): Promise<LoadAgent> => {
  const { api_key: key } = succeeded(
    await send(url, 'POST', '/api/register', { key: token, body: { agent_id: agentId } })
  )
  succeeded(await send(url, 'POST', '/v2/api/register', { body: { agent_id: agentId } }))
  for (let bought = 0; bought < fundsOfAgent; bought += dollarsAtOnce * 100)
    await topUp(url, token, agentId, dollarsAtOnce)
  return { agentId, key }
}

export const linkBank = async (
  url: string,
  key: string,
  userId: string
): Promise<{ checking: string; savings: string }> => {
  const { public_token } = succeeded(await send(url, 'POST', '/v1/sandbox/public_token', { key, body: {} }))
  const linked = succeeded(
    await send(url, 'POST', '/v1/accounts/link', { key, body: { public_token, user_id: userId } })
  )
  const of = (mask: string) =>
    String(
      (linked.accounts as { account_id: string; mask: string }[]).find((account) => account.mask === mask)?.account_id
    )
  return { checking: of('0000'), savings: of('1111') }
}

/** A tenant created only through the API: signed up, with a key, a bank, and agents with credits and scores. */
export const createTenant = async (url: string, db: Db, agentCount: number): Promise<Tenant> => {
  const signedUp = await signUp(url, db)
  const agents: LoadAgent[] = []
  for (let n = 0; n < agentCount; n++) agents.push(await registerAgent(url, signedUp.token, `agent-${randomUUID()}`))
  const furnisherKey = await signUpFurnisher(url, db)
  return { ...signedUp, furnisherKey, agents, ...(await linkBank(url, signedUp.key, 'usr_load')) }
}
