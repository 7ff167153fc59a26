import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { sql, type Selectable } from 'kysely'
import type { KeyOwner } from '../access/caller.ts'
import { collect } from '../database/collector.ts'
import { prepared } from '../database/prepared.ts'
import type { IdempotencyKeysTable } from '../database/tables.ts'
import type { Trx } from '../database/types.ts'

export const idempotencyLifetimeMs = 24 * 3_600_000

/** One logical operation of one tenant. */
export interface IdempotencyClaim extends KeyOwner {
  key: string
  operationId: string
  /** Hash of the operation and the resource: path and query parameters. */
  targetHash: Buffer
  bodyHash: Buffer
}

export type StoredAnswer = NonNullable<Awaited<ReturnType<Idempotency['find']>>>

/** Whether a transaction failed because another request with the same key committed first. Replay that request's response. */
export const isAnsweredMeanwhile = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'IK001'

const lockName = (tenant: string, key: string): string => `idempotency ${tenant} ${key}`
const contextOf = (tenant: string, key: string): string => `idempotency_keys.answer:${tenant}:${key}`

type KeyOfTenant = Pick<IdempotencyClaim, 'tenant' | 'key'>

const findKeys = prepared<{ tenants: string[]; keys: string[]; now: Date }>()((db, place) =>
  db
    .selectFrom('idempotency_keys')
    .select([
      'tenant',
      'key',
      'operation_id as operationId',
      'target_hash as targetHash',
      'body_hash as bodyHash',
      'status',
      'answer',
      'created_at as createdAt',
      'expires_at as expiresAt'
    ])
    .where(sql<boolean>`(tenant, key) in (select * from unnest(${place('tenants')}::text[], ${place('keys')}::text[]))`)
    .where('expires_at', '>', place('now'))
)

/** Overwrites a key older than 24 hours. A newer one fails the statement. */
const insertKey = prepared<Selectable<IdempotencyKeysTable>>()((db, place) =>
  db
    .insertInto('idempotency_keys')
    .values({
      tenant: place('tenant'),
      environment: place('environment'),
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

const createIdempotency = ({ clock, database, secrets }: Pick<FastifyInstance, 'clock' | 'database' | 'secrets'>) => {
  /** Concurrent requests share one statement. */
  const findRow = collect(async (wanted: KeyOfTenant[]) => {
    const [tenants, keys] = [wanted.map(({ tenant }) => tenant), wanted.map(({ key }) => key)]
    const rows = await findKeys(database.db, { tenants, keys, now: clock.now() })
    return wanted.map(({ tenant, key }) => rows.find((row) => row.tenant === tenant && row.key === key))
  })
  return {
    /** Returns the stored response of a key, byte for byte; undefined when the key is unknown or older than 24 hours. */
    async find(tenant: string, key: string) {
      const row = await findRow({ tenant, key })
      if (row === undefined) return undefined
      const { answer, tenant: _tenant, key: _key, ...stored } = row
      return { ...stored, text: secrets.decrypt(answer, contextOf(tenant, key)) }
    },
    /** Whether a request with this key is running on any instance. */
    async inFlight(tenant: string, key: string): Promise<boolean> {
      const release = await database.locks.tryAcquire(lockName(tenant, key))
      await release?.()
      return release === undefined
    },
    /** Locks the key until release; undefined when another request on any instance holds it. */
    hold: async (tenant: string, key: string) => await database.locks.tryAcquire(lockName(tenant, key)),
    /** Stores the response in the transaction of its effect. When the key already has a response, the transaction fails: see `isAnsweredMeanwhile`. */
    async store(trx: Trx, claim: IdempotencyClaim, status: number, text: string): Promise<void> {
      const { tenant, environment, key, operationId, targetHash, bodyHash } = claim
      const now = clock.now()
      await insertKey.withCommit(trx, {
        tenant,
        environment,
        key,
        operation_id: operationId,
        target_hash: targetHash,
        body_hash: bodyHash,
        status,
        answer: secrets.encrypt(text, contextOf(tenant, key)),
        created_at: now,
        expires_at: new Date(now.getTime() + idempotencyLifetimeMs)
      })
    }
  }
}

type Idempotency = ReturnType<typeof createIdempotency>

const sweepIntervalMs = 10 * 60_000
const sweepBatch = 5_000

const sweepExpired = async (app: FastifyInstance): Promise<void> => {
  const expired = sql`select tenant, key from idempotency_keys where expires_at <= ${app.clock.now()} limit ${sql.lit(sweepBatch)}`
  await sql`delete from idempotency_keys where (tenant, key) in (${expired})`.execute(app.database.db)
}

declare module 'fastify' {
  interface FastifyInstance {
    idempotency: Idempotency
  }
}

/** Idempotency keys: the key, the effect and the stored response commit in one transaction. */
export default fp(
  async (app) => {
    app.decorate('idempotency', createIdempotency(app))
    app.jobs.every('sweep expired idempotency keys', sweepIntervalMs, () => sweepExpired(app))
  },
  { name: 'idempotency', dependencies: ['clock', 'database', 'secrets', 'jobs'] }
)
