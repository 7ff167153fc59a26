import { createHash, randomBytes } from 'node:crypto'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const idLength = 37
const requestIdLength = 15

const letters = (bytes: Uint8Array, length: number) => {
  let text = ''
  for (let i = 0; i < length; i++) text += alphabet[(bytes[i] ?? 0) % alphabet.length]
  return text
}

/** An identifier in Plaid's format, derived from its parts. */
export const seededId = (...parts: (string | number)[]): string =>
  letters(createHash('sha512').update(parts.join('|')).digest(), idLength)

/** A random identifier in Plaid's format. */
export const randomId = (): string => letters(randomBytes(idLength), idLength)

/** A random request_id in Plaid's format. */
export const randomRequestId = (): string => letters(randomBytes(requestIdLength), requestIdLength)

/** A stream of pseudo-random choices that depends on its seed only. */
export interface SeededRandom {
  /** In [0, 1). */
  next: () => number
  /** An integer in [min, max]. */
  whole: (min: number, max: number) => number
  chance: (probability: number) => boolean
  pick: <T>(choices: readonly T[]) => T
}

/** Hashes a text to the four 32-bit words of sfc32's state (cyrb128). */
const hashWords = (text: string): [number, number, number, number] => {
  let a = 1779033703
  let b = 3144134277
  let c = 1013904242
  let d = 2773480762
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = b ^ Math.imul(a ^ code, 597399067)
    b = c ^ Math.imul(b ^ code, 2869860233)
    c = d ^ Math.imul(c ^ code, 951274213)
    d = a ^ Math.imul(d ^ code, 2716044179)
  }
  return [a >>> 0, b >>> 0, c >>> 0, d >>> 0]
}

/** sfc32 (Chris Doty-Humphrey's PractRand family): small, fast, and the same on every machine. */
export const createSeededRandom = (seed: string): SeededRandom => {
  let [a, b, c, d] = hashWords(seed)
  const next = () => {
    const sum = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return (sum >>> 0) / 4294967296
  }
  for (let i = 0; i < 12; i++) next()
  const whole = (min: number, max: number) => min + Math.floor(next() * (max - min + 1))
  return {
    next,
    whole,
    chance: (probability) => next() < probability,
    pick: (choices) => {
      const choice = choices[whole(0, choices.length - 1)]
      if (choice === undefined) throw new Error('pick needs at least one choice')
      return choice
    }
  }
}
