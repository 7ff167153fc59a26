import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import fp from 'fastify-plugin'

const format = 1
const keyIdLength = 4
const ivLength = 12
const tagLength = 16
const headLength = 1 + keyIdLength + ivLength + tagLength

/** Hashes a high-entropy secret with SHA-256, for storage. */
export const hashSecret = (secret: string): Buffer => createHash('sha256').update(secret).digest()

/** Compares two secrets in constant time, also for different lengths. */
export const sameSecret = (a: string, b: string): boolean => timingSafeEqual(hashSecret(a), hashSecret(b))

const keyIdOf = (key: Buffer): string =>
  createHash('sha256').update('key id').update(key).digest().subarray(0, keyIdLength).toString('hex')

export interface Secrets {
  /**
   * Encrypts with AES-256-GCM and the current key.
   * @param context the column and row of the secret, such as `items.access_token:item_1`. Decryption requires the same context, so a ciphertext is useless in another row.
   */
  encrypt(plaintext: string, context: string): Buffer
  /** @throws Error when the ciphertext or the context was changed, or the key is unknown. */
  decrypt(ciphertext: Buffer, context: string): string
  /** Derives a key for one purpose from every encryption key, the current one first. */
  derive(purpose: string): Buffer[]
}

/**
 * Creates reversible encryption. Each ciphertext contains the id of its key, so that keys can be rotated: the first of `keys` encrypts, all decrypt.
 */
export const createSecrets = (keys: Buffer[]): Secrets => {
  const [current] = keys
  if (current === undefined) throw new Error('At least one encryption key is required.')
  const byId = new Map(keys.map((key) => [keyIdOf(key), key]))
  const currentId = Buffer.from(keyIdOf(current), 'hex')
  return {
    encrypt(plaintext, context) {
      const iv = randomBytes(ivLength)
      const cipher = createCipheriv('aes-256-gcm', current, iv).setAAD(Buffer.from(context))
      const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
      return Buffer.concat([Buffer.from([format]), currentId, iv, cipher.getAuthTag(), body])
    },
    decrypt(stored, context) {
      const ciphertext = Buffer.from(stored)
      const id = ciphertext.subarray(1, 1 + keyIdLength).toString('hex')
      const key = byId.get(id)
      if (ciphertext[0] !== format || key === undefined) {
        throw new Error(
          `A stored secret is encrypted with key ${id}, which is not configured. Add that key to ATLAS_ENCRYPTION_KEYS_OLD.`
        )
      }
      const iv = ciphertext.subarray(1 + keyIdLength, 1 + keyIdLength + ivLength)
      const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagLength }).setAAD(
        Buffer.from(context)
      )
      decipher.setAuthTag(ciphertext.subarray(headLength - tagLength, headLength))
      return Buffer.concat([decipher.update(ciphertext.subarray(headLength)), decipher.final()]).toString('utf8')
    },
    derive: (purpose) => keys.map((key) => Buffer.from(hkdfSync('sha256', key, '', purpose, 32)))
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    secrets: Secrets
  }
}

export default fp(
  async (app) => {
    app.decorate('secrets', createSecrets(app.config.encryptionKeys))
  },
  { name: 'secrets', dependencies: ['config'] }
)
