import {
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type QueryResult
} from 'kysely'
import { isRolledBack } from './transaction.ts'

export type SendStatement = (text: string, values: readonly unknown[]) => Promise<QueryResult<unknown>>

/** A connection for one transaction. It runs statements in the order in which they are sent, without waiting for the responses in between. */
export interface Session {
  send: SendStatement
  /** @throws Error when the database rolled back instead, because a statement before had failed. */
  commit(): Promise<void>
  /** @param isBroken whether the state of the connection is unknown, so that nothing else may use it. */
  release(isBroken: boolean): void
}

/** What the two databases do differently. */
export interface Engine {
  /** Sends a statement that is a transaction of its own. */
  send: SendStatement
  openSession(): Promise<Session>
  close(): Promise<void>
}

/** Kysely's connection: single statements go to the engine, a transaction to a session of its own. */
class Connection implements DatabaseConnection {
  readonly #engine: Engine
  #session: Session | undefined
  #begun: Promise<unknown> | undefined
  #isEnding = false
  #isBroken = false

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** `begin` leaves together with the first statement, which reports it if it fails. */
  async begin(): Promise<void> {
    this.#session = await this.#engine.openSession()
    this.#begun = this.#session.send('begin', [])
    this.#begun.catch(() => undefined)
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    if (this.#session === undefined) return (await this.#engine.send(sql, parameters)) as QueryResult<Row>
    // It would run behind the commit, outside the transaction.
    if (this.#isEnding) throw new Error('The transaction is ending. Send every statement before its work returns.')
    const [, result] = await Promise.all([this.#begun, this.#session.send(sql, parameters)])
    return result as QueryResult<Row>
  }

  async end(command: 'commit' | 'rollback'): Promise<void> {
    // Kysely rolls back after a failed commit, which has ended the transaction already.
    if (this.#session === undefined || this.#isEnding) return
    this.#isEnding = true
    try {
      await this.#begun
      await (command === 'commit' ? this.#session.commit() : this.#session.send('rollback', []))
    } catch (error) {
      this.#isBroken = !isRolledBack(error)
      throw error
    }
  }

  release(): void {
    this.#session?.release(this.#isBroken)
  }

  streamQuery(): AsyncIterableIterator<never> {
    throw new Error('Rows cannot be streamed. Read pages by a key.')
  }
}

/** Kysely's dialect for PostgreSQL, embedded or not. */
export const createDialect = (engine: Engine): Dialect => ({
  createDriver: () => ({
    init: async () => undefined,
    acquireConnection: async () => new Connection(engine),
    beginTransaction: async (connection) => await (connection as Connection).begin(),
    commitTransaction: async (connection) => await (connection as Connection).end('commit'),
    rollbackTransaction: async (connection) => await (connection as Connection).end('rollback'),
    releaseConnection: async (connection) => (connection as Connection).release(),
    destroy: async () => await engine.close()
  }),
  createQueryCompiler: () => new PostgresQueryCompiler(),
  createAdapter: () => new PostgresAdapter(),
  createIntrospector: (db) => new PostgresIntrospector(db)
})
