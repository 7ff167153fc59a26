import { raceOnBalance, raceOnKeys, type Race } from '../../load/races.ts'
import { startSite } from '../../load/site.ts'
import { startPostgres } from '../../machines/postgres-server.ts'
import type { Scenario } from '../scenario.ts'

const race: Race = { keys: 60, requestsEach: 6, kinds: ['spend', 'report', 'transfer'] }

export const racingInstances: Scenario = {
  name: 'racing-instances',
  fault: `two instances get ${race.requestsEach} requests with the same key at once, ${race.keys} times, and together empty one wallet`,
  async run(context) {
    const { random, note } = context
    const postgres = await startPostgres(context, { durable: false })
    const site = await startSite(context, { random, databaseUrl: postgres.url, instances: 2 })
    const inFlight = await raceOnKeys(site, site.urls, race)
    await raceOnBalance(site, site.urls)
    note(`${inFlight} of ${race.keys * race.requestsEach} racing requests got 409 while the first one was running`)
    note(await site.verify())
  }
}
