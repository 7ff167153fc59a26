import { randomFillSync } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

// Randomness is fetched in large pieces: each call into the system costs far more than the bytes do. What was used is wiped.
const pool = Buffer.alloc(4096)
let used = pool.length

const randomByte = (): number => {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const byte = pool[used] as number
  pool[used++] = 0
  return byte
}

/** Text of `length` characters drawn evenly from letters and digits; each character carries 5.95 bits of randomness. */
export const randomText = (length: number): string => {
  let text = ''
  while (text.length < length) {
    const byte = randomByte()
    if (byte < 248) text += alphabet[byte % 62]
  }
  return text
}

/** A new identifier such as `tfr_7gK1…`: the prefix tells what it names, the rest cannot be guessed. */
export const newId = (prefix: string): string => `${prefix}_${randomText(22)}`
