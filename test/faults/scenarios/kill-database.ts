import { setTimeout as delay } from 'node:timers/promises'
import { startPostgres } from '../../machines/postgres-server.ts'
import { startSite } from '../../load/site.ts'
import type { Scenario } from '../scenario.ts'
import { underLoad, verifySaidSo } from '../under-load.ts'

const kills = 4

export const killDatabase: Scenario = {
  name: 'kill-database',
  trouble: `kill -9 of every process of PostgreSQL (with fsync) under load, ${kills} times`,
  async run(stage) {
    const { random, note } = stage
    const postgres = await startPostgres(stage, { durable: true })
    const site = await startSite(stage, { random, databaseUrl: postgres.url })
    for (let round = 0; round < kills; round++) {
      await underLoad(site, 4_000, async () => {
        await delay(random.integer(200, 2_500))
        await postgres.crash()
        await delay(random.integer(0, 500))
        await postgres.start()
        await delay(random.integer(0, 500))
      })
    }
    note(await verifySaidSo(site))
  }
}
