import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { send } from '../credentials.ts'
import type { PromiseKind } from './promises.ts'
import type { Site } from './site.ts'
import { succeeded, topUp } from './tenant.ts'

export interface Race {
  keys: number
  requestsEach: number
  kinds: PromiseKind[]
}

/**
 * Several instances get the same key concurrently: one effect, and the same response for all that succeed.
 * @returns how many requests got 409 because the first one was still running.
 */
export const raceOnKeys = async (
  { promises }: Site,
  urls: string[],
  { keys, requestsEach, kinds }: Race
): Promise<number> => {
  let inFlight = 0
  for (let n = 0; n < keys; n++) {
    const promise = promises.make(kinds[n % kinds.length] ?? 'spend')
    const responses = await Promise.all(
      Array.from({ length: requestsEach }, (_, index) => promises.send(urls[index % urls.length] ?? '', promise))
    )
    const texts = new Set(responses.filter((response) => response?.status === 200).map((response) => response?.text))
    assert.equal(texts.size, 1, `one response for ${promise.key}`)
    assert.ok(responses.every((response) => response?.status === 200 || response?.status === 409))
    inFlight += responses.filter((response) => response?.status === 409).length
  }
  return inFlight
}

/** All instances concurrently spend more from one wallet than it holds: exactly its balance is spent. */
export const raceOnBalance = async ({ promises, tenant }: Site, urls: string[]): Promise<void> => {
  const [url = ''] = urls
  const agentId = `racer-${randomUUID()}`
  const { api_key } = succeeded(
    await send(url, 'POST', '/api/register', { key: tenant.token, body: { agent_id: agentId } })
  )
  await topUp(url, tenant.token, agentId, 10)
  const spends = Array.from({ length: 60 }, () =>
    Object.assign(promises.make('spend'), { credential: String(api_key), agentId })
  )
  for (const promise of spends) promise.body.amount = 40
  await Promise.all(spends.map((promise, index) => promises.send(urls[index % urls.length] ?? '', promise)))
  const count = (status: number) => spends.filter(({ settled }) => settled?.status === status).length
  assert.deepEqual([count(200), count(402)], [25, 35])
  assert.equal(succeeded(await send(url, 'GET', `/api/balance?agent_id=${agentId}`)).agent.balance, 0)
}
