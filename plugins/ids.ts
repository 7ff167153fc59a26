import { randomInt } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Returns `length` uniformly random letters and digits. Each has 5.95 bits of entropy. */
export const randomText = (length: number): string =>
  Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')

/** Returns a new id such as `tfr_7gK1…`: a prefix for the type of the resource and an unguessable rest. */
export const newId = (prefix: string): string => `${prefix}_${randomText(22)}`
