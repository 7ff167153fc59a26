import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { send } from '../credentials.ts'
import type { Check } from './check.ts'
import type { Fleet } from './fleet.ts'

const clients = 10
const pauseMs = 300
/** Below the limit of 60 per address, so that no request is rejected for its rate. */
const mostReadsASecond = 50

interface Counts {
  reads: number
  withoutKey: string[]
  failures: string[]
}

/** Spends without a key and reads until stopped. Every response that is not a success is a failure. */
const sendUntilStopped = async (
  { front, tenant, random }: Fleet & { random: () => number },
  counts: Counts,
  stopped: () => boolean
): Promise<void> => {
  while (!stopped()) {
    const agent = tenant.agents[0]!
    const description = `unkeyed-${counts.withoutKey.length + counts.reads}-${random()}`
    const isRead = random() < 0.4
    const response = await (
      isRead
        ? send(front, 'GET', `/api/balance?agent_id=${agent.agentId}`)
        : send(front, 'POST', '/api/spend', { key: agent.key, body: { amount: 0.01, description } })
    ).catch((error: unknown) => ({ status: 0, text: String(error) }))
    if (response.status !== 200)
      counts.failures.push(
        `${isRead ? 'GET' : 'POST without a key'}: ${response.status} ${response.text.slice(0, 300)}`
      )
    else if (isRead) counts.reads += 1
    else counts.withoutKey.push(description)
    await delay(isRead ? (clients * 1_000) / mostReadsASecond : pauseMs * random() * 0.1)
  }
}

export const rollingRestart = (random: () => number): Check => ({
  guarantee: 'restarting one instance after the other under load drops no request',
  async run(fleet) {
    const { promises, servers, front, database } = fleet
    const counts: Counts = { reads: 0, withoutKey: [], failures: [] }
    let stopped = false
    const before = promises.all.length
    const statuses = new Map(promises.statuses)
    const keyed = promises.load([front], { clients, most: 20_000, kinds: ['spend', 'report'] })
    const others = Promise.all(
      Array.from({ length: clients }, () => sendUntilStopped({ ...fleet, random }, counts, () => stopped))
    )
    for (const server of servers) {
      await delay(pauseMs)
      assert.equal(await server.drain(), 0, server.output().slice(-1_000))
      await server.start()
    }
    stopped = true
    keyed.stop()
    await Promise.all([keyed.done, others])
    const withKey = promises.all.length - before
    const newStatuses = [...promises.statuses]
      .filter(([status, times]) => times !== (statuses.get(status) ?? 0))
      .map(([status]) => status)
    assert.deepEqual(counts.failures, [], `${counts.failures.length} requests were dropped:\n${fleet.nginxLog()}`)
    assert.deepEqual(newStatuses, ['200'], 'each request with a key got its response at the first attempt')
    const rows = await database.db
      .selectFrom('ledger_transactions')
      .select('description')
      .where('description', 'like', 'unkeyed-%')
      .execute()
    assert.deepEqual(
      rows.map(({ description }) => description).sort(),
      counts.withoutKey.sort(),
      'each spend without a key was done once'
    )
    return `${servers.length} restarts; ${counts.reads} reads, ${counts.withoutKey.length} spends without a key, ${withKey} operations with one: none dropped, none duplicated`
  }
})
