import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { sql, type Selectable } from 'kysely'
import { lockNumber, type Release } from '../database/locks.ts'
import { prepared } from '../database/prepared.ts'
import type { IdempotencyKeysTable } from '../database/tables.ts'
import type { Db, Trx } from '../database/types.ts'
import { idempotencyInFlight } from '../http/errors/kinds.ts'

export const idempotencyLifetimeMs = 24 * 3_600_000

/** One logical operation of one tenant. */
export interface IdempotencyClaim {
  tenant: string
  key: string
  operationId: string
  bodyHash: Buffer
}

export interface StoredAnswer {
  operationId: string
  bodyHash: Buffer
  status: number
  /** The body, byte for byte as it was sent the first time. */
  text: string
  createdAt: Date
  expiresAt: Date
}

/** Whether a transaction failed since another request with the same key committed first, whose answer is the one to give. */
export const isAnsweredMeanwhile = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'IK001'

export interface Idempotency {
  /** The stored answer of a key; undefined when it was never seen or is older than 24 hours. */
  find(db: Db, tenant: string, key: string): Promise<StoredAnswer | undefined>
  /** Whether a request with this key is running on any instance at this moment. */
  inFlight(tenant: string, key: string): Promise<boolean>
  /**
   * Holds the key for as long as its request runs.
   * @throws ProblemError 409 `idempotency_in_flight` when another request holds it.
   */
  hold(tenant: string, key: string): Promise<Release>
  /** The number of the database's advisory lock by which the key is held. */
  lockOf(claim: IdempotencyClaim): string
  /**
   * Says how the answers of an operation are told again that are not stored, because they tell only of a ledger transaction, which never changes.
   * @param tell answers the body, byte for byte as it was sent the first time.
   */
  toldFromLedger(operationId: string, tell: (db: Db, ledgerTransactionId: number) => Promise<string>): void
  /**
   * Stores the answer in the transaction of its effect. When the key has an answer already, the transaction fails: see `isAnsweredMeanwhile`.
   */
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

/** A key older than 24 hours is free again; a younger one belongs to whoever committed it. */
const insertKey = prepared<Omit<Selectable<IdempotencyKeysTable>, 'ledger_transaction_id'>>()(
  (db, place) =>
    db
      .insertInto('idempotency_keys')
      .values({
        tenant: place('tenant'),
        key: place('key'),
        operation_id: place('operation_id'),
        body_hash: place('body_hash'),
        status: place('status'),
        answer: place('answer'),
        ledger_transaction_id: null,
        created_at: place('created_at'),
        expires_at: place('expires_at')
      })
      .onConflict((conflict) =>
        conflict.columns(['tenant', 'key']).doUpdateSet((eb) => ({
          operation_id: eb.ref('excluded.operation_id'),
          body_hash: eb.ref('excluded.body_hash'),
          status: eb.ref('excluded.status'),
          answer: eb.ref('excluded.answer'),
          ledger_transaction_id: eb.ref('excluded.ledger_transaction_id'),
          created_at: sql<Date>`case when idempotency_keys.expires_at <= excluded.created_at then excluded.created_at else idempotency_key_is_answered() end`,
          expires_at: eb.ref('excluded.expires_at')
        }))
      ),
  { withCommit: true }
)

const createIdempotency = ({ clock, database, secrets }: FastifyInstance): Idempotency => {
  const tellers = new Map<string, (db: Db, ledgerTransactionId: number) => Promise<string>>()

  const textOf = async (
    db: Db,
    { tenant, key, operation_id, answer, ledger_transaction_id }: Selectable<IdempotencyKeysTable>
  ): Promise<string> => {
    if (answer !== null) return secrets.decrypt(answer, contextOf(tenant, key))
    const tell = tellers.get(operation_id)
    if (tell === undefined || ledger_transaction_id === null)
      throw new Error(`The answers of ${operation_id} are not stored, and nothing tells them again.`)
    return await tell(db, ledger_transaction_id)
  }

  return {
    lockOf: ({ tenant, key }) => lockNumber(lockName(tenant, key)),
    toldFromLedger: (operationId, tell) => void tellers.set(operationId, tell),
    async find(db, tenant, key) {
      const [row] = await findKeys(db, { tenant, key, now: clock.now() })
      if (row === undefined) return undefined
      const text = await textOf(db, row)
      return {
        operationId: row.operation_id,
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
    async hold(tenant, key) {
      const release = await database.locks.tryAcquire(lockName(tenant, key))
      if (release !== undefined) return release
      throw idempotencyInFlight(
        'The first request with this key is still running. Try again in a second.',
        {},
        { 'retry-after': '1' }
      )
    },
    async store(trx, { tenant, key, operationId, bodyHash }, status, text) {
      const now = clock.now()
      await insertKey(trx, {
        tenant,
        key,
        operation_id: operationId,
        body_hash: bodyHash,
        status,
        answer: secrets.encrypt(text, contextOf(tenant, key)),
        created_at: now,
        expires_at: new Date(now.getTime() + idempotencyLifetimeMs)
      })
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

/** Idempotency keys: the key, the effect and the stored answer commit in one transaction. */
export default fp(
  (app, _options, done) => {
    app.decorate('idempotency', createIdempotency(app))
    app.jobs.every('sweep expired idempotency keys', sweepIntervalMs, () => sweepExpired(app))
    done()
  },
  { name: 'idempotency', dependencies: ['clock', 'database', 'secrets', 'jobs'] }
)
