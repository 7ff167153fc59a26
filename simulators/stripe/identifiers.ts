import { randomBytes } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** `prefix` followed by `length` random letters and digits; unguessable from 22 characters on. */
export const newId = (prefix: string, length = 24): string => {
  let id = prefix
  while (id.length < prefix.length + length) {
    for (const byte of randomBytes(length)) {
      // 248 is the largest multiple of 62 that a byte can hold: all characters are equally likely.
      if (byte < 248 && id.length < prefix.length + length) id += alphabet.charAt(byte % 62)
    }
  }
  return id
}

/** Whether a text has the shape of an id, and is worth a lookup. */
export const isId = (text: string): boolean => /^[A-Za-z0-9_]{1,255}$/.test(text)
