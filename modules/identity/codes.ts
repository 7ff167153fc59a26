import { createHmac, randomInt } from 'node:crypto'

/** What a code proves: that the user reads the mail, or the texts, of `target`. */
export interface CodePurpose {
  userId: string
  kind: 'email' | 'phone'
  /** The e-mail address or the phone number. */
  target: string
}

/** How long a code is valid. */
export const codeLifetimeMs = { email: 30 * 60_000, phone: 10 * 60_000 }

/** The wrong tries after which a code is void, because six digits can be guessed. */
export const maxCodeAttempts = 5

const digits = 6

/** Creates a random code of six digits. */
export const createCode = (): string => String(randomInt(10 ** digits)).padStart(digits, '0')

/** Hashes a code for storage. With a key, because the hashes of a million codes are computed in a second. */
export const hashCode = (key: Buffer, { userId, kind, target }: CodePurpose, code: string): Buffer =>
  createHmac('sha256', key).update([userId, kind, target, code].join('\n')).digest()
