import { availableParallelism } from 'node:os'
import { hash, verify } from '@node-rs/argon2'
import type { FastifyInstance } from 'fastify'
import PQueue from 'p-queue'
import { assertNoTransaction } from '../../plugins/database/transaction.ts'
import { overloaded } from '../../plugins/http/errors/kinds.ts'
import { randomText } from '../../plugins/ids.ts'

/** argon2id with 19 MiB, 2 passes and 1 lane, as OWASP's Password Storage Cheat Sheet recommends. */
const parameters = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Half of the processors, and at most three of Node's four threads for such work: files and host names need them, too. */
const concurrency = Math.max(1, Math.min(3, Math.floor(availableParallelism() / 2)))

/** How many calls for strangers, and as many for known users, may wait. */
const maxWaiting = 32

/** For whom a password is hashed. Known users are signed in, or on a device that their account knows: no flood of strangers holds them up. */
export type Client = 'stranger' | 'known'

const priorityOf = { stranger: 0, known: 1 } as const

/** NFKC unifies code points that look the same, such as combining accents and full-width forms. */
export const normalisePassword = (password: string): string => password.normalize('NFKC')

/** Hashes a password for storage at once, without a queue; takes about 30 ms on another thread. */
export const hashPassword = async (password: string): Promise<string> =>
  await hash(normalisePassword(password), parameters)

/** Hashes and verifies passwords in a short queue, outside any transaction. Both throw 503 `overloaded` when too many calls wait. */
export interface Passwords {
  hash(password: string, client: Client): Promise<string>
  /** Whether a password matches a hash. Without a hash it verifies a decoy, so that the time does not reveal whether an account exists. */
  verify(stored: string | undefined, password: string, client: Client): Promise<boolean>
}

export const createPasswords = async ({ metrics }: Pick<FastifyInstance, 'metrics'>): Promise<Passwords> => {
  const decoy = await hashPassword(randomText(40))
  const queue = new PQueue({ concurrency })
  const enqueue = async <T>(client: Client, work: () => Promise<T>): Promise<T> => {
    assertNoTransaction()
    const priority = priorityOf[client]
    if (queue.sizeBy({ priority }) >= maxWaiting) {
      metrics.overloaded('passwords')
      throw overloaded('Too many passwords wait to be checked. Retry in 2 seconds.', {}, { 'retry-after': '2' })
    }
    return await queue.add(work, { priority })
  }
  return {
    hash: (password, client) => enqueue(client, () => hashPassword(password)),
    async verify(stored, password, client) {
      const matches = await enqueue(client, () => verify(stored ?? decoy, normalisePassword(password)))
      return matches && stored !== undefined
    }
  }
}
