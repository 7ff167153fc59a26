import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { sql, type Selectable } from 'kysely'
import type { Release } from '../database/locks.ts'
import { prepared } from '../database/prepared.ts'
import type { IdempotencyKeysTable } from '../database/tables.ts'
import type { Db, Trx } from '../database/types.ts'

export const idempotencyLifetimeMs = 24 * 3_600_000

/** One logical operation of one tenant. */
export interface IdempotencyClaim {
  tenant: string
  key: string
  operationId: string
  /** Hash of the operation and the resource: path and query parameters. */
  targetHash: Buffer
  bodyHash: Buffer
}

export interface StoredAnswer {
  operationId: string
  targetHash: Buffer
  bodyHash: Buffer
  status: number
  /** The body of the first response, byte for byte. */
  text: string
  createdAt: Date
  expiresAt: Date
}

/** Whether a transaction failed because another request with the same key committed first. Replay that request's response. */
export const isAnsweredMeanwhile = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'IK001'

export interface Idempotency {
  /** Returns the stored response of a key; undefined when the key is unknown or older than 24 hours. */
  find(db: Db, tenant: string, key: string): Promise<StoredAnswer | undefined>
  /** Whether a request with this key is running on any instance. */
  inFlight(tenant: string, key: string): Promise<boolean>
  /** Locks the key until release; undefined when another request on any instance holds it. */
  hold(tenant: string, key: string): Promise<Release | undefined>
  /** Stores the response in the transaction of its effect. When the key already has a response, the transaction fails: see `isAnsweredMeanwhile`. */
  store(trx: Trx, claim: IdempotencyClaim, status: number, text: string): Promise<void>
}

const lockName = (tenant: string, key: string): string => `idempotency ${tenant} ${key}`
const contextOf = (tenant: string, key: string): string => `idempotency_keys.answer:${tenant}:${key}`

const findKeys = prepared<{ tenant: string; key: string; now: Date }>()((db, place) =>
  db
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('tenant', '=', place('tenant'))
    .where('key', '=', place('key'))
    .where('expires_at', '>', place('now'))
)

/** Overwrites a key older than 24 hours. A newer one fails the statement. */
const insertKey = prepared<Selectable<IdempotencyKeysTable>>()((db, place) =>
  db
    .insertInto('idempotency_keys')
    .values({
      tenant: place('tenant'),
      key: place('key'),
      operation_id: place('operation_id'),
      target_hash: place('target_hash'),
      body_hash: place('body_hash'),
      status: place('status'),
      answer: place('answer'),
      created_at: place('created_at'),
      expires_at: place('expires_at')
    })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'key']).doUpdateSet((eb) => ({
        operation_id: eb.ref('excluded.operation_id'),
        target_hash: eb.ref('excluded.target_hash'),
        body_hash: eb.ref('excluded.body_hash'),
        status: eb.ref('excluded.status'),
        answer: eb.ref('excluded.answer'),
        created_at: sql<Date>`case when idempotency_keys.expires_at <= excluded.created_at then excluded.created_at else idempotency_key_is_answered() end`,
        expires_at: eb.ref('excluded.expires_at')
      }))
    )
)

const createIdempotency = ({
  clock,
  database,
  secrets
}: Pick<FastifyInstance, 'clock' | 'database' | 'secrets'>): Idempotency => {
  return {
    async find(db, tenant, key) {
      const [row] = await findKeys(db, { tenant, key, now: clock.now() })
      if (row === undefined) return undefined
      const text = secrets.decrypt(row.answer, contextOf(tenant, key))
      return {
        operationId: row.operation_id,
        targetHash: Buffer.from(row.target_hash),
        bodyHash: Buffer.from(row.body_hash),
        status: row.status,
        text,
        createdAt: row.created_at,
        expiresAt: row.expires_at
      }
    },
    async inFlight(tenant, key) {
      const release = await database.locks.tryAcquire(lockName(tenant, key))
      await release?.()
      return release === undefined
    },
    hold: async (tenant, key) => await database.locks.tryAcquire(lockName(tenant, key)),
    async store(trx, { tenant, key, operationId, targetHash, bodyHash }, status, text) {
      const now = clock.now()
      const row = {
        tenant,
        key,
        operation_id: operationId,
        target_hash: targetHash,
        body_hash: bodyHash,
        status,
        answer: secrets.encrypt(text, contextOf(tenant, key)),
        created_at: now,
        expires_at: new Date(now.getTime() + idempotencyLifetimeMs)
      }
      await insertKey.withCommit(trx, row)
    }
  }
}

const sweepIntervalMs = 10 * 60_000
const sweepBatch = 5_000

const sweepExpired = async (app: FastifyInstance): Promise<void> => {
  await sql`delete from idempotency_keys where (tenant, key) in
    (select tenant, key from idempotency_keys where expires_at <= ${app.clock.now()} limit ${sql.lit(sweepBatch)})`.execute(
    app.database.db
  )
}

declare module 'fastify' {
  interface FastifyInstance {
    idempotency: Idempotency
  }
}

/** Idempotency keys: the key, the effect and the stored response commit in one transaction. */
export default fp(
  (app, _options, done) => {
    app.decorate('idempotency', createIdempotency(app))
    app.jobs.every('sweep expired idempotency keys', sweepIntervalMs, () => sweepExpired(app))
    done()
  },
  { name: 'idempotency', dependencies: ['clock', 'database', 'secrets', 'jobs'] }
)
