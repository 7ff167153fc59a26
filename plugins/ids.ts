import { randomBytes } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Text of `length` characters drawn evenly from letters and digits; each character carries 5.95 bits of randomness. */
export const randomText = (length: number): string => {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && text.length < length) text += alphabet[byte % 62]
    }
  }
  return text
}

/** A new identifier such as `tfr_7gK1…`: the prefix tells what it names, the rest cannot be guessed. */
export const newId = (prefix: string): string => `${prefix}_${randomText(22)}`
