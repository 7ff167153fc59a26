import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { startSite } from '../../load/site.ts'
import { startPostgres } from '../../machines/postgres-server.ts'
import { startTcpProxy } from '../../machines/tcp-proxy.ts'
import type { Scenario } from '../scenario.ts'
import { assertSaidSo } from './kill-database.ts'

/** Longer than the server waits for a statement. */
const silenceMs = 25_000

export const slowDatabase: Scenario = {
  name: 'slow-database',
  trouble: `a slow line to the database, and then one that passes nothing on for ${silenceMs / 1000} seconds, under load`,
  async run(stage) {
    const { random, note } = stage
    const postgres = await startPostgres(stage, { durable: true })
    const line = await startTcpProxy(stage, postgres.port)
    const site = await startSite(stage, { random, databaseUrl: postgres.url, serversDatabaseUrl: `postgres://postgres@127.0.0.1:${line.port}/postgres` })
    const slow = site.promises.load(site.urls, { clients: 8, most: 400 })
    for (let step = 0; step < 20; step++) {
      line.delayMs = random.integer(1, 60)
      await delay(250)
    }
    slow.stop()
    await slow.done
    line.delayMs = 0
    assert.ok(site.promises.all.every(({ settled }) => settled?.status === 200), 'a slow line fails nothing')
    const silent = site.promises.load(site.urls, { clients: 8, most: 1_000 })
    await delay(random.integer(100, 500))
    line.become('silent')
    await delay(silenceMs)
    line.become('open')
    await delay(random.integer(100, 1_000))
    silent.stop()
    await silent.done
    const verified = await site.verify()
    assertSaidSo(site)
    note(verified)
  }
}
