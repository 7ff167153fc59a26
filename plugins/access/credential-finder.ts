import type { FastifyInstance } from 'fastify'
import { collect } from '../database/collector.ts'
import { findCredentials } from './queries.ts'
import { hashSecret } from './secrets.ts'

type FoundCredential = Awaited<ReturnType<typeof findCredentials>>[number]

/** Returns the credential with this secret and the settings of its partner; undefined when it is unknown, revoked or expired. */
export type FindCredential = (secret: string) => Promise<FoundCredential | undefined>

/** Looks up credentials; concurrent requests share one statement. */
export const createCredentialFinder = ({
  clock,
  database
}: Pick<FastifyInstance, 'clock' | 'database'>): FindCredential => {
  const findByHash = collect(async (hashes: Buffer[]) => {
    const rows = await findCredentials(database.db, { hashes, now: clock.now() })
    return hashes.map((hash) => rows.find((row) => hash.equals(row.hash)))
  })
  return (secret) => findByHash(hashSecret(secret))
}
