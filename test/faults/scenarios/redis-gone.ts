import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { startSite, type Site } from '../../load/site.ts'
import { startPostgres } from '../../machines/postgres-server.ts'
import { startRedis } from '../../machines/redis-server.ts'
import { until } from '../../machines/waiting.ts'
import type { Scenario } from '../scenario.ts'
import { underLoad } from '../under-load.ts'

const kills = 3

const redisStatus = async ({ urls }: Site): Promise<unknown> =>
  ((await (await fetch(`${urls[0]}/api/v1/health`)).json()) as { redis: { status: unknown } }).redis.status

export const redisGone: Scenario = {
  name: 'redis-gone',
  fault: `kill -9 and restart of Redis under load, ${kills} times`,
  async run(context) {
    const { random, note } = context
    const postgres = await startPostgres(context, { durable: false })
    const redis = await startRedis(context)
    const site = await startSite(context, {
      random,
      databaseUrl: postgres.url,
      settings: { REDIS_URL: redis.url, LOG_LEVEL: 'info' }
    })
    assert.equal(await redisStatus(site), 'ok')
    for (let round = 0; round < kills; round++) {
      await underLoad(site, 2_000, async () => {
        await delay(random.integer(200, 1_000))
        await redis.crash()
        await delay(random.integer(500, 1_500))
        assert.equal(await redisStatus(site), 'unavailable')
        await redis.start()
        await until('Redis is used again', async () => (await redisStatus(site)) === 'ok')
      })
    }
    const log = site.servers.map((server) => server.output()).join('')
    const occurrences = (text: string) => log.split(text).length - 1
    assert.deepEqual(
      [occurrences('Redis is not reachable'), occurrences('Redis is reachable again')],
      [kills, kills],
      'the log reports each outage once, and its end'
    )
    assert.deepEqual([...site.promises.statuses.keys()], ['200'], 'every request is served throughout')
    note(await site.verify())
  }
}
