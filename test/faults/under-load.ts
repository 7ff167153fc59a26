import assert from 'node:assert/strict'
import { startSite, type Site } from '../load/site.ts'
import { startPostgres } from '../machines/postgres-server.ts'
import { startTcpProxy, type TcpProxy } from '../machines/tcp-proxy.ts'
import type { Stage } from './scenario.ts'

const clients = 8

/** Makes trouble while clients send, and comes back when all that they sent is answered. */
export const underLoad = async (
  { promises, urls }: Site,
  mostOperations: number,
  makeTrouble: () => Promise<void>
): Promise<void> => {
  const load = promises.load(urls, { clients, most: mostOperations })
  try {
    await makeTrouble()
  } finally {
    load.stop()
    await load.done
  }
}

/**
 * Asserts that everything holds, and that while the database was away the server said so: 503, or 502 where the simulator of another service needed the
 * database; never 500, and never nothing. Answers what was verified.
 */
export const verifySaidSo = async (site: Site): Promise<string> => {
  const verified = await site.verify()
  const { statuses } = site.promises
  assert.equal(statuses.get('500'), undefined, 'no request ended in a 500')
  assert.equal(statuses.get('none'), undefined, 'every request was answered')
  assert.ok((statuses.get('503') ?? 0) > 0, 'the trouble was felt')
  return verified
}

/** A site whose line to its database the scenario holds in its hands. */
export const startBehindLine = async (stage: Stage): Promise<{ site: Site; line: TcpProxy }> => {
  const postgres = await startPostgres(stage, { durable: true })
  const line = await startTcpProxy(stage, postgres.port)
  const serversDatabaseUrl = `postgres://postgres@127.0.0.1:${line.port}/postgres`
  return { line, site: await startSite(stage, { random: stage.random, databaseUrl: postgres.url, serversDatabaseUrl }) }
}
