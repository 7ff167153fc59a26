import { createHmac, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface DevelopmentKeys {
  encryptionKey: string
  jwtSecret: string
  ingestSecret: string
  plaidSecret: string
  stripeSecret: string
  stripeWebhookSecret: string
}

const deriveKeys = (root: Buffer): DevelopmentKeys => {
  const derive = (purpose: string) => createHmac('sha256', root).update(purpose).digest()
  return {
    encryptionKey: derive('encryption').toString('base64'),
    jwtSecret: derive('jwt').toString('hex'),
    ingestSecret: `ingest_${derive('ingest').toString('hex').slice(0, 32)}`,
    plaidSecret: derive('plaid simulator').toString('hex').slice(0, 30),
    stripeSecret: `sk_test_${derive('stripe simulator').toString('hex').slice(0, 32)}`,
    stripeWebhookSecret: `whsec_${derive('stripe simulator webhook').toString('hex').slice(0, 32)}`
  }
}

const readOrCreateRoot = (path: string): Buffer => {
  try {
    return Buffer.from(readFileSync(path, 'utf8').trim(), 'base64')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  try {
    writeFileSync(path, randomBytes(32).toString('base64'), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    // Another process that starts at the same moment wrote it first; its key is as good.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return Buffer.from(readFileSync(path, 'utf8').trim(), 'base64')
}

/**
 * The keys of a server that was given none: all derived from one random key, which is made once and kept in the data directory
 * readable by its owner only.
 */
export const readDevelopmentKeys = (dataDir: string): DevelopmentKeys => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  return deriveKeys(readOrCreateRoot(join(dataDir, 'root.key')))
}

/** The same for a rehearsal of production: what is derived from its encryption key only joins the server to its own simulators, alike on every instance. */
export const deriveSimulatorKeys = (encryptionKey: string): DevelopmentKeys => deriveKeys(Buffer.from(encryptionKey))
