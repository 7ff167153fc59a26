import { setTimeout as delay } from 'node:timers/promises'
import { startPostgres } from '../../machines/postgres-server.ts'
import { startSite } from '../../load/site.ts'
import type { Scenario } from '../scenario.ts'
import { underLoad } from '../under-load.ts'

const kills = 5

export const killServer: Scenario = {
  name: 'kill-server',
  fault: `kill -9 of the server under load, ${kills} times`,
  async run(context) {
    const { random, note } = context
    const postgres = await startPostgres(context, { durable: true })
    const site = await startSite(context, { random, databaseUrl: postgres.url })
    const [server] = site.servers
    for (let round = 0; round < kills; round++) {
      await underLoad(site, 2_000, async () => {
        await delay(random.integer(200, 2_500))
        await server?.crash()
      })
      await server?.start()
    }
    note(await site.verify())
  }
}
