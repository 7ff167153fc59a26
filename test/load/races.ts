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
 * Several instances get the same key at the same moment: one effect, and all that succeed say the same.
 * @returns how many requests were told that the first one still runs.
 */
export const raceOnKeys = async (
  { promises }: Site,
  urls: string[],
  { keys, requestsEach, kinds }: Race
): Promise<number> => {
  let inFlight = 0
  for (let n = 0; n < keys; n++) {
    const promise = promises.make(kinds[n % kinds.length] ?? 'spend')
    const answers = await Promise.all(
      Array.from({ length: requestsEach }, (_, index) => promises.send(urls[index % urls.length] ?? '', promise))
    )
    const texts = new Set(answers.filter((answered) => answered?.status === 200).map((answered) => answered?.text))
    assert.equal(texts.size, 1, `one answer for ${promise.key}`)
    assert.ok(answers.every((answered) => answered?.status === 200 || answered?.status === 409))
    inFlight += answers.filter((answered) => answered?.status === 409).length
  }
  return inFlight
}

/** More is asked of one wallet than it holds, from all instances at once: exactly what it holds is spent. */
export const raceOnBalance = async ({ promises, tenant }: Site, urls: string[]): Promise<void> => {
  const [url = ''] = urls
  const agentId = `racer-${randomUUID()}`
  const { api_key } = succeeded(
    await send(url, 'POST', '/api/register', { key: tenant.token, body: { agent_id: agentId } })
  )
  await topUp(url, tenant.token, agentId, 10)
  const wishes = Array.from({ length: 60 }, () =>
    Object.assign(promises.make('spend'), { credential: String(api_key), agentId })
  )
  for (const wish of wishes) wish.body.amount = 40
  await Promise.all(wishes.map((wish, index) => promises.send(urls[index % urls.length] ?? '', wish)))
  const count = (status: number) => wishes.filter(({ settled }) => settled?.status === status).length
  assert.deepEqual([count(200), count(402)], [25, 35])
  assert.equal(succeeded(await send(url, 'GET', `/api/balance?agent_id=${agentId}`)).agent.balance, 0)
}
