import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { send, type Answered } from '../credentials.ts'
import { startReceiver } from '../modules/webhooks/setup.ts'
import { linkBank, signUp, signUpFurnisher, succeeded, topUp } from '../load/tenant.ts'
import { runToEnd } from '../machines/cleanup.ts'
import { until } from '../machines/waiting.ts'
import type { Check } from './check.ts'
import type { Fleet } from './fleet.ts'

type SendRequest = (
  method: string,
  path: string,
  body?: unknown,
  key?: string,
  headers?: Record<string, string>
) => Promise<Answered['body']>

/** Links a bank, reads it, and moves money until the transfer has settled. */
const walkThroughMoney = async (sendRequest: SendRequest, front: string, key: string): Promise<void> => {
  const userId = 'usr_walk'
  const { checking, savings } = await linkBank(front, key, userId)
  const { accounts } = await sendRequest('GET', `/v1/accounts?user_id=${userId}`)
  assert.ok(accounts.length >= 2)
  const { transactions } = await sendRequest('GET', `/v1/transactions?user_id=${userId}&limit=100`)
  assert.equal(transactions.length, 100)
  const { id } = await sendRequest('POST', '/v1/transfers', {
    from_account_id: checking,
    to_account_id: savings,
    amount: 12.34
  })
  for (const event of ['pending', 'posted', 'settled']) {
    await sendRequest('POST', `/v1/sandbox/transfers/${id}/simulate`, { event })
  }
  await until(
    'the transfer has settled',
    async () => (await sendRequest('GET', `/v1/transfers/${id}`)).status === 'settled'
  )
  const { events } = await sendRequest('GET', `/v1/transfers/${id}`)
  assert.deepEqual(
    events.map(({ state }: { state: string }) => state),
    ['submitted', 'pending', 'posted', 'settled']
  )
  const { daily_allowance } = await sendRequest('POST', '/v1/calculate/safe-to-spend', {
    cash_balance: 1000,
    end_user_id: userId
  })
  assert.ok(daily_allowance > 0)
}

/** An agent is registered and funded, spends, requests approval, is scored, borrows and repays. */
const walkThroughCredits = async (
  sendRequest: SendRequest,
  front: string,
  token: string,
  furnisher: string
): Promise<void> => {
  const agent_id = `walker-${randomUUID()}`
  const { api_key: agent } = await sendRequest('POST', '/api/register', { agent_id }, token)
  await topUp(front, token, agent_id, 25)
  assert.equal((await sendRequest('POST', '/api/spend', { amount: 100 }, agent)).balance, 2400)
  const { approval_id } = await sendRequest(
    'POST',
    '/api/spend',
    { amount: 400, require_approval: true, item_name: 'An item' },
    agent
  )
  await sendRequest('POST', '/api/approve', { request_id: approval_id }, token)
  await sendRequest('POST', '/v2/api/register', { agent_id }, '')
  for (let n = 0; n < 8; n++) {
    await sendRequest(
      'POST',
      '/v2/api/report',
      { agent_id, reporter_name: 'A furnisher', reporter_platform: 'elsewhere', report_type: 'payment_ontime' },
      furnisher
    )
  }
  const { score } = await sendRequest('GET', `/v2/api/score?agent_id=${agent_id}`, undefined, '')
  assert.ok(score >= 550, String(score))
  const { loan_id, approved } = await sendRequest('POST', '/api/loans', { amount: 150 }, agent)
  assert.equal(approved, 150)
  await sendRequest('POST', `/api/loans/${loan_id}/repay`, { amount: 150 }, agent)
  assert.equal((await sendRequest('GET', `/api/balance?agent_id=${agent_id}`, undefined, '')).agent.balance, 2000)
}

/** Asserts that each event of the walk arrives, signed as documented. */
const receiveSigned = async (sendRequest: SendRequest, work: () => Promise<void>): Promise<string[]> =>
  await runToEnd(async (t) => {
    const receiver = await startReceiver(t)
    const { secret, id } = await sendRequest('POST', '/v1/webhooks', { url: receiver.url, events: ['*'] })
    await work()
    const wanted = [
      'account.linked',
      'transfer.settled',
      'agent.topup',
      'agent.spend',
      'agent.approval_decided',
      'loan.disbursed',
      'loan.repaid',
      'bureau.score_changed'
    ]
    await until(`${wanted.join(', ')} have arrived`, () =>
      wanted.every((type) => receiver.received.some(({ event }) => event.type === type))
    )
    for (const { raw, headers } of receiver.received) {
      const [, timestamp, signature] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(String(headers['atlas-signature'])) ?? []
      assert.equal(createHmac('sha256', secret).update(`${timestamp}.${raw}`).digest('hex'), signature)
      assert.equal(headers['x-atlas-signature'], `sha256=${createHmac('sha256', secret).update(raw).digest('hex')}`)
    }
    await sendRequest('DELETE', `/v1/webhooks/${id}`)
    return receiver.received.map(({ event }) => event.type)
  })

/** @returns a human-readable summary. */
export const walkThroughEverything = async ({
  front,
  database,
  ingestSecret
}: Pick<Fleet, 'front' | 'database' | 'ingestSecret'>): Promise<string> => {
  const { key, token, partnerId } = await signUp(front, database.db)
  let steps = 0
  const sendRequest: SendRequest = async (method, path, body, credential = key, headers = {}) => {
    steps += 1
    return (
      succeeded(
        await send(front, method, path, { ...(credential === '' ? {} : { key: credential }), body, headers })
      ) ?? {}
    )
  }
  assert.equal((await sendRequest('GET', '/api/v1/health', undefined, '')).status, 'ok')
  const events = await receiveSigned(sendRequest, async () => {
    await walkThroughMoney(sendRequest, front, key)
    await walkThroughCredits(sendRequest, front, token, await signUpFurnisher(front, database.db))
  })
  const event = {
    partner_id: partnerId,
    event_type: 'transaction',
    user_id: 'usr_walk',
    amount_cents: 4218,
    category: 'groceries',
    event_id: 'once'
  }
  for (const accepted of [1, 0]) {
    assert.equal(
      (await sendRequest('POST', '/api/ingest/event', event, '', { 'x-atlas-ingest-secret': ingestSecret })).accepted,
      accepted
    )
  }
  return `${steps} requests, ${events.length} signed events of ${new Set(events).size} types`
}

export const walk: Check = {
  guarantee: 'a client that uses every feature through nginx sees one server',
  run: walkThroughEverything
}
