import { hash, verify } from '@node-rs/argon2'
import { randomText } from '../../plugins/ids.ts'

/** argon2id with 19 MiB, 2 passes and 1 lane, as OWASP's Password Storage Cheat Sheet recommends. */
const parameters = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** NFKC unifies code points that look the same, such as combining accents and full-width forms. */
const normalise = (password: string): string => password.normalize('NFKC')

/** Hashes a password for storage; takes about 30 ms on another thread. */
export const hashPassword = async (password: string): Promise<string> => await hash(normalise(password), parameters)

let decoy: Promise<string> | undefined

/** Whether a password matches a hash. Without a hash it verifies a decoy, so that the time does not reveal whether an account exists. */
export const verifyPassword = async (stored: string | undefined, password: string): Promise<boolean> => {
  decoy ??= hashPassword(randomText(40))
  const matches = await verify(stored ?? (await decoy), normalise(password))
  return matches && stored !== undefined
}

/** Hashes the decoy of `verifyPassword` ahead of time, so that the first attempt takes no longer than later ones. */
export const prepareDecoy = async (): Promise<void> => {
  decoy ??= hashPassword(randomText(40))
  await decoy
}
