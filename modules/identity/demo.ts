import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { FastifyInstance } from 'fastify'
import { mintCredential } from '../../plugins/access/credentials.ts'
import { transact } from '../../plugins/database/transaction.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { randomText } from '../../plugins/ids.ts'
import { hashPassword } from './passwords.ts'
import { insertUserWithPartner, lockDemo, partnerExists } from './queries/users.ts'

const Demo = Type.Object({
  partnerId: Type.String(),
  email: Type.String(),
  password: Type.String(),
  testKey: Type.String(),
  furnisherKey: Type.String()
})
/**
 * Everything needed to try the server: the sign-in of an operator and a test key, and the test key of a second partner. Partners cannot report on their own agents, so
 * that one furnishes the credit bureau.
 */
export type Demo = Static<typeof Demo>

const readDemo = (path: string): Demo | undefined => {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return Value.Check(Demo, value) ? value : undefined
  } catch {
    // The file is missing or damaged.
    return undefined
  }
}

/** Writes a temporary file, syncs and renames it, so that a crash leaves either the whole file or none. */
const writeDemo = (path: string, demo: Demo): void => {
  const temporary = `${path}.${process.pid}`
  const file = openSync(temporary, 'w', 0o600)
  try {
    writeFileSync(file, `${JSON.stringify(demo, null, 2)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
}

interface Account {
  email: string
  name: string
  partnerName: string
  operator: boolean
  passwordHash: string
}

/** A partner with a user and a test key; undefined when the email address is taken. */
const createPartner = async (trx: Trx, account: Account, now: Date) => {
  const member = await insertUserWithPartner(trx, { ...account, emailVerifiedAt: now }, now)
  if (member === undefined) return undefined
  const { partnerId } = member
  const key = { kind: 'partner_key', environment: 'test', name: 'Demo key' } as const
  const { secret } = await mintCredential(trx, { ...key, partnerId, now })
  return { partnerId, testKey: secret }
}

const createDemo = async (trx: Trx, password: string, passwordHash: string, now: Date): Promise<Demo | undefined> => {
  const email = 'demo@atlasforge.test'
  const owner = { email, name: 'Demo User', partnerName: 'Demo Partner', operator: true, passwordHash }
  const partner = await createPartner(trx, owner, now)
  const other = { email: 'furnisher@atlasforge.test', name: 'Demo Furnisher', partnerName: 'Demo Furnisher' }
  const furnisher = await createPartner(trx, { ...other, operator: false, passwordHash }, now)
  if (partner === undefined || furnisher === undefined) return undefined
  return { ...partner, email, password, furnisherKey: furnisher.testKey }
}

/**
 * Creates a demo partner with an operator and a test key, and a furnisher, outside production when there is no partner yet. Stores their secrets in
 * `demo.json` in the data directory, readable only by its owner, so that every start can print them.
 *
 * The file is written before the commit, so it exists whenever the partner does. After a crash in between it names no partner and
 * is written again. A database lock serialises instances that start together.
 *
 * @returns undefined in production, and when there are partners but not the demo partner.
 */
export const ensureDemoPartner = async ({
  config,
  database,
  clock
}: Pick<FastifyInstance, 'clock' | 'config' | 'database'>): Promise<Demo | undefined> => {
  if (config.environment === 'production') return undefined
  const path = join(config.dataDir, 'demo.json')
  const existing = readDemo(path)
  if (existing !== undefined && (await partnerExists(database.db, existing.partnerId))) return existing
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
  const password = randomText(20)
  const passwordHash = await hashPassword(password)
  return await transact(database.db, async (trx) => {
    await lockDemo(trx)
    if (await partnerExists(trx)) {
      // Another instance may have created it while this one waited for the lock.
      const meanwhile = readDemo(path)
      return meanwhile !== undefined && (await partnerExists(trx, meanwhile.partnerId)) ? meanwhile : undefined
    }
    const demo = await createDemo(trx, password, passwordHash, clock.now())
    if (demo !== undefined) writeDemo(path, demo)
    return demo
  })
}
