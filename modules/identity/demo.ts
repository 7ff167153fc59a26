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
import { insertUserWithPartner, lockDemo, partnerExists } from './queries.ts'

const Demo = Type.Object({
  partnerId: Type.String(),
  email: Type.String(),
  password: Type.String(),
  testKey: Type.String()
})
/** What a newcomer needs to try everything: a sign-in, which is an operator's too, and a test key. */
export type Demo = Static<typeof Demo>

const readDemo = (path: string): Demo | undefined => {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return Value.Check(Demo, value) ? value : undefined
  } catch {
    // Not there, or half of something: either way there is nothing to remember.
    return undefined
  }
}

/** Written beside, brought to the disk and renamed, so that a crash leaves the whole file or none. */
const writeDemo = (path: string, demo: Demo): void => {
  const half = `${path}.${process.pid}`
  const file = openSync(half, 'w', 0o600)
  try {
    writeFileSync(file, `${JSON.stringify(demo, null, 2)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(half, path)
}

const createDemo = async (trx: Trx, password: string, passwordHash: string, now: Date): Promise<Demo | undefined> => {
  const email = 'demo@atlasforge.test'
  const member = await insertUserWithPartner(
    trx,
    { email, name: 'Demo User', passwordHash, partnerName: 'Demo Partner', operator: true },
    now
  )
  if (member === undefined) return undefined
  const partnerId = member.partner_id
  const { secret } = await mintCredential(trx, {
    kind: 'partner_key',
    partnerId,
    environment: 'test',
    name: 'Demo key',
    now
  })
  return { partnerId, email, password, testKey: secret }
}

/**
 * Outside production, makes a partner to try the server with when there is no partner yet: with a user who is an operator, and a test key.
 * Their secrets are kept in `demo.json` in the data directory, readable by its owner only, so that every start can show them.
 *
 * The file is written before the commit: a crash between the two leaves a file that names no partner, which counts for nothing and is
 * written anew; after the commit the file is there for certain. Instances that start together take turns by a lock of the database.
 *
 * @returns undefined in production, and where there are partners but not this one.
 */
export const ensureDemoPartner = async (app: FastifyInstance): Promise<Demo | undefined> => {
  const { config, database, clock } = app
  if (config.environment === 'production') return undefined
  const path = join(config.dataDir, 'demo.json')
  const remembered = readDemo(path)
  if (remembered !== undefined && (await partnerExists(database.db, remembered.partnerId))) return remembered
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
  const password = randomText(20)
  const passwordHash = await hashPassword(password)
  return await transact(database.db, async (trx) => {
    await lockDemo(trx)
    if (await partnerExists(trx)) {
      // Perhaps another instance made it while this one waited.
      const meanwhile = readDemo(path)
      return meanwhile !== undefined && (await partnerExists(trx, meanwhile.partnerId)) ? meanwhile : undefined
    }
    const demo = await createDemo(trx, password, passwordHash, clock.now())
    if (demo !== undefined) writeDemo(path, demo)
    return demo
  })
}
