import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { startSite } from '../../load/site.ts'
import { startPostgres } from '../../machines/postgres-server.ts'
import { startTcpProxy } from '../../machines/tcp-proxy.ts'
import type { Scenario } from '../scenario.ts'
import { assertSaidSo } from './kill-database.ts'

const flaps = 40

export const flappingDatabase: Scenario = {
  name: 'flapping-database',
  trouble: `every connection to the database is reset, ${flaps} times at random moments under load, half of the times with a while of refusals`,
  async run(stage) {
    const { random, note } = stage
    const postgres = await startPostgres(stage, { durable: true })
    const line = await startTcpProxy(stage, postgres.port)
    const site = await startSite(stage, { random, databaseUrl: postgres.url, serversDatabaseUrl: `postgres://postgres@127.0.0.1:${line.port}/postgres` })
    const load = site.promises.load(site.urls, { clients: 8, most: 6_000 })
    for (let flap = 0; flap < flaps; flap++) {
      await delay(random.integer(20, 500))
      if (random.chance(0.5)) {
        line.dropAll()
      } else {
        line.become('cut')
        await delay(random.integer(10, 300))
        line.become('open')
      }
    }
    load.stop()
    await load.done
    const verified = await site.verify()
    assertSaidSo(site)
    assert.ok((site.promises.statuses.get('503') ?? 0) > 0, 'the flapping was felt')
    note(verified)
  }
}
