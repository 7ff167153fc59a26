import { hash, verify } from '@node-rs/argon2'
import { randomText } from '../../plugins/ids.ts'

/** argon2id with 19 MiB, 2 passes and 1 lane: the first choice of OWASP's Password Storage Cheat Sheet. */
const parameters = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** The same characters can be typed as different code points (an accent of its own, full-width forms); NFKC makes them one. */
const normalise = (password: string): string => password.normalize('NFKC')

/** Hashes a password for storing; takes some 30 ms of another thread. */
export const hashPassword = async (password: string): Promise<string> => await hash(normalise(password), parameters)

let decoy: Promise<string> | undefined

/**
 * Whether `password` is the one that `stored` is the hash of. Without a hash the same work is done in vain, so that the time tells nobody
 * whether an account exists.
 */
export const verifyPassword = async (stored: string | undefined, password: string): Promise<boolean> => {
  decoy ??= hashPassword(randomText(40))
  const matches = await verify(stored ?? (await decoy), normalise(password))
  return matches && stored !== undefined
}

/** Prepares what `verifyPassword` compares with in vain, so that the first try at an unknown account takes no longer than the others. */
export const prepareDecoy = async (): Promise<void> => {
  decoy ??= hashPassword(randomText(40))
  await decoy
}
