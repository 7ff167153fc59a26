import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { startPostgres } from '../../machines/postgres-server.ts'
import { startSite, type Site } from '../../load/site.ts'
import type { Scenario } from '../scenario.ts'

const kills = 4

/** While the database is away the server says so: 503, or 502 where the simulator of another service needed the database; never 500. */
export const assertSaidSo = ({ promises, servers }: Site): void => {
  assert.equal(promises.statuses.get('500'), undefined, 'no request ended in a 500')
  assert.equal(promises.statuses.get('none'), undefined, 'every request was answered')
  assert.ok(servers.every((server) => server.isRunning()), 'the server did not end')
}

export const killDatabase: Scenario = {
  name: 'kill-database',
  trouble: `kill -9 of every process of PostgreSQL (with fsync) under load, ${kills} times`,
  async run(stage) {
    const { random, note } = stage
    const postgres = await startPostgres(stage, { durable: true })
    const site = await startSite(stage, { random, databaseUrl: postgres.url })
    for (let round = 0; round < kills; round++) {
      const load = site.promises.load(site.urls, { clients: 8, most: 4_000 })
      await delay(random.integer(200, 2_500))
      await postgres.crash()
      await delay(random.integer(0, 500))
      await postgres.start()
      await delay(random.integer(0, 500))
      load.stop()
      await load.done
    }
    const verified = await site.verify()
    assertSaidSo(site)
    note(verified)
  }
}
