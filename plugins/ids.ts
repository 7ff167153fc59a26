import { randomFillSync } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

// Random bytes are fetched in large blocks, because each system call costs far more than the bytes. Used bytes are wiped.
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

/** Returns `length` uniformly random letters and digits. Each has 5.95 bits of entropy. */
export const randomText = (length: number): string => {
  let text = ''
  while (text.length < length) {
    const byte = randomByte()
    if (byte < 248) text += alphabet[byte % 62]
  }
  return text
}

/** Returns a new id such as `tfr_7gK1…`: a prefix for the type of the resource and an unguessable rest. */
export const newId = (prefix: string): string => `${prefix}_${randomText(22)}`
