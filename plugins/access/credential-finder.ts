import type { FastifyInstance } from 'fastify'
import { collect } from '../database/collector.ts'
import { hashSecret } from './secrets.ts'
import { findCredentials } from './queries.ts'

type FoundCredential = Awaited<ReturnType<typeof findCredentials>>[number]

type Find = (secret: string) => Promise<FoundCredential | undefined>

const recentMs = 5_000
const mostRecent = 10_000

export interface CredentialFinder {
  /** The credential with this secret together with what its partner allows, as of now; undefined when unknown, revoked or expired. */
  findCredential: Find
  /** The same, as it was up to five seconds ago: for operations that look again, in the statement of their effect, whether the credential still holds. */
  findRecentCredential: Find
}

/** Finds credentials; those that are asked for at the same time in one statement. */
export const createCredentialFinder = ({
  clock,
  database
}: Pick<FastifyInstance, 'clock' | 'database'>): CredentialFinder => {
  const recent = new Map<string, { found: FoundCredential; atMs: number }>()

  const remember = (id: string, found: FoundCredential): void => {
    recent.delete(id)
    recent.set(id, { found, atMs: clock.now().getTime() })
    if (recent.size <= mostRecent) return
    const oldest = recent.keys().next()
    if (oldest.done !== true) recent.delete(oldest.value)
  }

  const findByHash = collect(async (hashes: Buffer[]) => {
    const rows = await findCredentials(database.db, { hashes, now: clock.now() })
    return hashes.map((hash) => rows.find((row) => hash.equals(row.hash)))
  })

  return {
    findCredential: (secret) => findByHash(hashSecret(secret)),
    async findRecentCredential(secret) {
      const hash = hashSecret(secret)
      const id = hash.toString('base64')
      const known = recent.get(id)
      const ageMs = known === undefined ? Infinity : clock.now().getTime() - known.atMs
      if (known !== undefined && ageMs >= 0 && ageMs < recentMs) return known.found
      const found = await findByHash(hash)
      // One of nobody yet can become somebody's at any moment, and what it does from then on is that partner's to see.
      if (found !== undefined && found.partner_id !== null) remember(id, found)
      return found
    }
  }
}
