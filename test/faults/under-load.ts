import assert from 'node:assert/strict'
import { startSite, type Site } from '../load/site.ts'
import { startPostgres } from '../machines/postgres-server.ts'
import { startTcpProxy, type TcpProxy } from '../machines/tcp-proxy.ts'
import type { ScenarioContext } from './scenario.ts'

const clients = 8

/** Injects faults while clients send requests. Resolves when every request has its response. */
export const underLoad = async (
  { promises, urls }: Site,
  mostOperations: number,
  injectFaults: () => Promise<void>
): Promise<void> => {
  const load = promises.load(urls, { clients, most: mostOperations })
  try {
    await injectFaults()
  } finally {
    load.stop()
    await load.done
  }
}

/**
 * Asserts every invariant, and that requests during the outage of the database got 503 (or 502, where the simulator of another service needed the
 * database), and never 500 or no response. Returns a summary of what was verified.
 */
export const verifyOutage = async (site: Site): Promise<string> => {
  const verified = await site.verify()
  const { statuses } = site.promises
  assert.equal(statuses.get('500'), undefined, 'no request got 500')
  assert.equal(statuses.get('none'), undefined, 'every request got a response')
  assert.ok((statuses.get('503') ?? 0) > 0, 'the outage affected requests')
  return verified
}

/** A site whose connection to its database the scenario controls. */
export const startBehindLine = async (context: ScenarioContext): Promise<{ site: Site; line: TcpProxy }> => {
  const postgres = await startPostgres(context, { durable: true })
  const line = await startTcpProxy(context, postgres.port)
  const serversDatabaseUrl = `postgres://postgres@127.0.0.1:${line.port}/postgres`
  return {
    line,
    site: await startSite(context, { random: context.random, databaseUrl: postgres.url, serversDatabaseUrl })
  }
}
