import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { Scenario } from '../scenario.ts'
import { startBehindLine, underLoad, verifyOutage } from '../under-load.ts'

/** Longer than the server's statement timeout. */
const silenceMs = 25_000

export const slowDatabase: Scenario = {
  name: 'slow-database',
  fault: `a slow connection to the database, then no data for ${silenceMs / 1000} seconds, under load`,
  async run(context) {
    const { random, note } = context
    const { site, line } = await startBehindLine(context)
    await underLoad(site, 400, async () => {
      for (let step = 0; step < 20; step++) {
        line.delayMs = random.integer(1, 60)
        await delay(250)
      }
    })
    line.delayMs = 0
    assert.ok(
      site.promises.all.every(({ settled }) => settled?.status === 200),
      'a slow connection fails no request'
    )
    await underLoad(site, 1_000, async () => {
      await delay(random.integer(100, 500))
      line.become('silent')
      await delay(silenceMs)
      line.become('open')
      await delay(random.integer(100, 1_000))
    })
    note(await verifyOutage(site))
  }
}
