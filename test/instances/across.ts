import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { send } from '../credentials.ts'
import { raceOnBalance, raceOnKeys } from '../load/races.ts'
import { signUp, succeeded } from '../load/tenant.ts'
import type { Check } from './check.ts'
import type { Fleet } from './fleet.ts'

const statusesOf = async ({ direct }: Fleet, path: string, key: string): Promise<number[]> =>
  await Promise.all(direct.map(async (url) => (await send(url, 'GET', path, { key })).status))

const all = ({ direct }: Fleet, status: number): number[] => direct.map(() => status)

export const revocation: Check = {
  guarantee: 'a credential revoked at one instance is rejected at once by all others',
  async run(fleet) {
    const { direct, database } = fleet
    const { token } = await signUp(fleet.front, database.db)
    const mint = async (path: string, body: object) =>
      succeeded(await send(direct[0]!, 'POST', path, { key: token, body }))
    const [partnerKey, pat] = [
      await mint('/v1/api-keys', { name: 'k', environment: 'test' }),
      await mint('/v1/tokens', { name: 't', scopes: ['webhooks:read'] })
    ]
    const agent_id = `agent-${randomUUID()}`
    const agent = await mint('/api/register', { agent_id })
    const cases = [
      { key: partnerKey.key, path: '/v1/webhooks', revoke: ['DELETE', `/v1/api-keys/${partnerKey.id}`] },
      { key: pat.token, path: '/v1/webhooks', revoke: ['DELETE', `/v1/tokens/${pat.id}`] },
      {
        key: agent.api_key,
        path: `/api/agents/${agent_id}/transactions`,
        revoke: ['POST', `/api/agents/${agent_id}/revoke`]
      }
    ] as const
    for (const [index, { key, path, revoke }] of cases.entries()) {
      assert.deepEqual(await statusesOf(fleet, path, key), all(fleet, 200))
      succeeded(
        await send(direct[index % direct.length]!, revoke[0], revoke[1], {
          key: token,
          ...(revoke[0] === 'POST' ? { body: { confirm: true } } : {})
        })
      )
      assert.deepEqual(await statusesOf(fleet, path, key), all(fleet, 401))
    }
    return `a partner key, a token and an agent's key, each at ${direct.length} instances`
  }
}

export const sessions: Check = {
  guarantee: 'a session continues at any instance, and a refresh token used twice ends it at all of them',
  async run(fleet) {
    const { direct, database } = fleet
    const { cookie, token } = await signUp(fleet.front, database.db)
    const refresh = async (url: string, of: string) => {
      const response = await send(url, 'POST', '/api/v1/auth/refresh', { headers: { cookie: of } })
      return {
        status: response.status,
        token: String(response.body.access_token),
        cookie: response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
      }
    }
    assert.deepEqual(await statusesOf(fleet, '/api/v1/users/me', token), all(fleet, 200))
    let last = { status: 200, token, cookie }
    for (const url of direct) {
      last = await refresh(url, last.cookie)
      assert.equal(last.status, 200)
      assert.deepEqual(await statusesOf(fleet, '/api/v1/users/me', last.token), all(fleet, 200))
    }
    assert.equal((await refresh(direct.at(-1)!, cookie)).status, 401)
    assert.deepEqual(await statusesOf(fleet, '/api/v1/users/me', last.token), all(fleet, 401))
    assert.equal((await refresh(direct[0]!, last.cookie)).status, 401)
    return `${direct.length} refreshes, each at another instance`
  }
}

export const rateLimits: Check = {
  guarantee: 'all instances share one bucket',
  async run({ direct, database, front }) {
    const { key, partnerId } = await signUp(front, database.db)
    const [limit, requests] = [20, 200]
    await database.db
      .updateTable('partners')
      .set({ rate_overrides: JSON.stringify({ read: limit }) })
      .where('id', '=', partnerId)
      .execute()
    const begun = performance.now()
    const responses = await Promise.all(
      Array.from({ length: requests }, (_, n) => send(direct[n % direct.length]!, 'GET', '/v1/webhooks', { key }))
    )
    const seconds = (performance.now() - begun) / 1000
    const served = responses.filter(({ status }) => status === 200).length
    assert.ok(responses.every(({ status }) => status === 200 || status === 429))
    // The bucket starts full and refills while the requests run.
    const most = limit + Math.ceil(seconds * limit)
    assert.ok(served >= limit && served <= most, `${served} of ${requests} in ${seconds} s`)
    // At most ten attempts a minute for one account, at whatever instances.
    const email = `${randomUUID()}@example.test`
    const tries = []
    for (let n = 0; n < 14; n++)
      tries.push(
        (await send(front, 'POST', '/api/v1/auth/login', { body: { email, password: 'not the password' } })).status
      )
    assert.deepEqual(tries, [...Array<number>(10).fill(401), ...Array<number>(4).fill(429)])
    return `${served} of ${requests} requests served in ${seconds.toFixed(2)} s at ${limit} a second; 10 of 14 sign-ins admitted`
  }
}

export const idempotency: Check = {
  guarantee: '50 concurrent requests with one key, spread over all instances, have one effect and one response',
  async run(fleet) {
    const race = { keys: 12, requestsEach: 50, kinds: ['spend', 'report', 'transfer'] } as const
    const inFlight = await raceOnKeys(fleet, fleet.direct, { ...race, kinds: [...race.kinds] })
    return `${race.keys} keys, ${race.keys * race.requestsEach} requests, ${inFlight} got 409 because the first was still running`
  }
}

export const spends: Check = {
  guarantee: 'concurrent spends at all instances take exactly the balance of the wallet',
  async run(fleet) {
    await raceOnBalance(fleet, fleet.direct)
    return '60 spends of 40 from 1000 credits: 25 succeeded, 35 were rejected, 0 left'
  }
}

export const webhooks: Check = {
  guarantee: 'each event is delivered with one attempt while every endpoint is healthy',
  async run(fleet) {
    const { promises, receiver, database, tenant, direct } = fleet
    await promises.load(direct, { clients: 12, most: 300 }).done
    await fleet.verify()
    const counts = new Map<string, number>()
    for (const { headers } of receiver.received) {
      const id = String(headers['x-atlas-delivery'])
      counts.set(id, (counts.get(id) ?? 0) + 1)
    }
    assert.deepEqual(
      [...counts].filter(([, times]) => times !== 1),
      []
    )
    const attempts = await database.db
      .selectFrom('webhook_attempts')
      .innerJoin('webhook_deliveries', 'webhook_deliveries.id', 'webhook_attempts.delivery_id')
      .innerJoin('webhooks', 'webhooks.id', 'webhook_deliveries.webhook_id')
      .select('webhook_attempts.delivery_id')
      .where('webhooks.partner_id', '=', tenant.partnerId)
      .execute()
    assert.equal(new Set(attempts.map((row) => row.delivery_id)).size, attempts.length)
    return `${counts.size} deliveries, ${receiver.received.length} attempts`
  }
}
