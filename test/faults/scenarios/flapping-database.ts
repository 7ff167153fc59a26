import { setTimeout as delay } from 'node:timers/promises'
import type { Scenario } from '../scenario.ts'
import { startBehindLine, underLoad, verifyOutage } from '../under-load.ts'

const flaps = 40

export const flappingDatabase: Scenario = {
  name: 'flapping-database',
  fault: `every database connection is reset, ${flaps} times at random under load, half of them followed by refused connections`,
  async run(context) {
    const { random, note } = context
    const { site, line } = await startBehindLine(context)
    await underLoad(site, 6_000, async () => {
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
    })
    note(await verifyOutage(site))
  }
}
