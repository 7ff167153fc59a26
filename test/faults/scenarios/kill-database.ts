import { setTimeout as delay } from 'node:timers/promises'
import { startPostgres } from '../../machines/postgres-server.ts'
import { startSite } from '../../load/site.ts'
import type { Scenario } from '../scenario.ts'
import { underLoad, verifyOutage } from '../under-load.ts'

const kills = 4

export const killDatabase: Scenario = {
  name: 'kill-database',
  fault: `kill -9 of every process of PostgreSQL (with fsync) under load, ${kills} times`,
  async run(context) {
    const { random, note } = context
    const postgres = await startPostgres(context, { durable: true })
    const site = await startSite(context, { random, databaseUrl: postgres.url })
    for (let round = 0; round < kills; round++) {
      await underLoad(site, 4_000, async () => {
        await delay(random.integer(200, 2_500))
        await postgres.crash()
        await delay(random.integer(0, 500))
        await postgres.start()
        await delay(random.integer(0, 500))
      })
    }
    note(await verifyOutage(site))
  }
}
