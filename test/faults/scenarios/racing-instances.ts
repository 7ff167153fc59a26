import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { send } from '../../credentials.ts'
import { startSite, type Site } from '../../load/site.ts'
import { succeeded, topUp } from '../../load/tenant.ts'
import { startPostgres } from '../../machines/postgres-server.ts'
import type { Scenario } from '../scenario.ts'

const keys = 60
const requestsEach = 6

/** Both instances get the same key at the same moment: one effect, and all that succeed say the same. */
const raceOnKeys = async ({ promises, urls }: Site, kinds: readonly ('spend' | 'report' | 'transfer')[]): Promise<number> => {
  let inFlight = 0
  for (let n = 0; n < keys; n++) {
    const promise = promises.make(kinds[n % kinds.length]!)
    const answers = await Promise.all(Array.from({ length: requestsEach }, (_, index) => promises.send(urls[index % urls.length]!, promise)))
    const texts = new Set(answers.filter((answered) => answered?.status === 200).map((answered) => answered?.text))
    assert.equal(texts.size, 1, `one answer for ${promise.key}`)
    assert.ok(answers.every((answered) => answered?.status === 200 || answered?.status === 409))
    inFlight += answers.filter((answered) => answered?.status === 409).length
  }
  return inFlight
}

/** More is asked of one wallet than it holds, from both instances at once: exactly what it holds is spent. */
const raceOnBalance = async ({ promises, urls, tenant }: Site): Promise<void> => {
  const [url] = urls as [string]
  const agentId = `racer-${randomUUID()}`
  const { api_key } = succeeded(await send(url, 'POST', '/api/register', { key: tenant.token, body: { agent_id: agentId } }))
  await topUp(url, tenant.token, agentId, 10)
  const wishes = Array.from({ length: 60 }, () => Object.assign(promises.make('spend'), { credential: String(api_key), agentId }))
  for (const wish of wishes) wish.body.amount = 40
  await Promise.all(wishes.map((wish, index) => promises.send(urls[index % urls.length]!, wish)))
  const count = (status: number) => wishes.filter(({ settled }) => settled?.status === status).length
  assert.deepEqual([count(200), count(402)], [25, 35])
  assert.equal(succeeded(await send(url, 'GET', `/api/balance?agent_id=${agentId}`)).agent.balance, 0)
}

export const racingInstances: Scenario = {
  name: 'racing-instances',
  trouble: `two instances get ${requestsEach} requests with the same key at once, ${keys} times, and spend one wallet empty together`,
  async run(stage) {
    const { random, note } = stage
    const postgres = await startPostgres(stage, { durable: false })
    const site = await startSite(stage, { random, databaseUrl: postgres.url, instances: 2 })
    const inFlight = await raceOnKeys(site, ['spend', 'report', 'transfer'])
    await raceOnBalance(site)
    note(`${inFlight} of ${keys * requestsEach} racing requests were told that the first one still runs`)
    note(await site.verify())
  }
}
