import {
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  type TransactionSettings
} from 'kysely'
import type pg from 'pg'
import { goesWithCommit, isWholeTransaction } from './prepared.ts'
import { sendCommand, sendQuery } from './send-query.ts'
import type { SharedClients } from './shared-clients.ts'
import { isRolledBack } from './transaction.ts'

const beginOf = ({ isolationLevel, accessMode }: TransactionSettings): string =>
  isolationLevel === undefined && accessMode === undefined
    ? 'begin'
    : `start transaction${isolationLevel === undefined ? '' : ` isolation level ${isolationLevel}`}${accessMode === undefined ? '' : ` ${accessMode}`}`

const nothing = { rows: [] }

/**
 * A transaction, on a connection of its own that it takes when it first needs one: one that sends nothing costs nothing. `begin` goes out with the statement
 * behind it and is answered before it; should somebody cancel just that, nothing follows the first statement. What is to go out with the commit waits for it.
 */
class OpenTransaction {
  readonly #pool: pg.Pool
  readonly #shared: SharedClients
  readonly #begin: string
  readonly #last: CompiledQuery[] = []
  #client: Promise<pg.PoolClient> | undefined
  #begun: Promise<unknown> | undefined
  #ended = false
  /** Whether the connection is in a state that nobody knows. */
  #broken = false

  constructor(pool: pg.Pool, shared: SharedClients, settings: TransactionSettings) {
    this.#pool = pool
    this.#shared = shared
    this.#begin = beginOf(settings)
  }

  async #open(): Promise<pg.PoolClient> {
    const client = await this.#pool.connect()
    this.#begun = sendCommand(client, this.#begin)
    this.#begun.catch(() => undefined)
    return client
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    // It would be done outside of the transaction, behind its commit or its rollback; Kysely refuses what comes when that is answered.
    if (this.#ended) throw new Error('The transaction is ending; nothing more can be said in it.')
    if (goesWithCommit(query)) {
      this.#last.push(query)
      return nothing
    }
    if (isWholeTransaction(query)) return await this.#sayAll<Row>(query)
    this.#client ??= this.#open()
    const result = await sendQuery<Row>(await this.#client, query)
    await this.#begun
    return result
  }

  async #sayAll<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (this.#client !== undefined || this.#last.length > 0)
      throw new Error('The transaction has begun; what is to be all of it comes too late.')
    if (this.#begin !== beginOf({}))
      throw new Error('What goes out without begin cannot say how its transaction is to be isolated.')
    this.#ended = true
    this.#client = this.#pool.connect()
    const client = await this.#client
    try {
      return await sendQuery<Row>(client, query)
    } catch (error) {
      this.#broken = !isRolledBack(error)
      throw error
    }
  }

  async commit(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    const [only, ...others] = this.#last
    if (this.#client === undefined && only === undefined) return
    // One statement is a transaction of its own.
    if (this.#client === undefined && only !== undefined && others.length === 0) {
      await this.#shared.query(only)
      return
    }
    this.#client ??= this.#open()
    const client = await this.#client
    const sent = this.#last.map((query) => sendQuery(client, query))
    const [done] = await Promise.all([sendCommand(client, 'commit'), this.#begun, ...sent])
    // What the database does when a statement before failed and nobody took notice of it.
    if (done === 'ROLLBACK') throw new Error('The transaction was rolled back, since one of its statements had failed.')
  }

  /** Gives up what was done. After a commit that failed there is nothing left: the database has ended the transaction, or it is gone. */
  async rollback(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    if (this.#client === undefined) return
    await sendCommand(await this.#client, 'rollback')
  }

  /** @param broken whether the connection is in a state that nobody knows. */
  async release(broken: boolean): Promise<void> {
    const client = await this.#client?.catch(() => undefined)
    client?.release(broken || this.#broken)
  }
}

/** What Kysely takes for a connection: it shares others' until a transaction begins on it. */
class Connection implements DatabaseConnection {
  transaction: OpenTransaction | undefined
  broken = false
  readonly #shared: SharedClients

  constructor(shared: SharedClients) {
    this.#shared = shared
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return await (this.transaction === undefined
      ? this.#shared.query<Row>(query)
      : this.transaction.executeQuery<Row>(query))
  }

  streamQuery(): AsyncIterableIterator<never> {
    throw new Error('Nothing of this server streams rows; read pages by a key.')
  }
}

/** Sends single statements over shared, pipelining connections, and gives each transaction a connection of its own from the pool. */
class PipeliningDriver implements Driver {
  readonly #pool: pg.Pool
  readonly #shared: SharedClients

  constructor(pool: pg.Pool, shared: SharedClients) {
    this.#pool = pool
    this.#shared = shared
  }

  async init(): Promise<void> {
    // Connections are opened when they are first needed.
  }

  async acquireConnection(): Promise<Connection> {
    return new Connection(this.#shared)
  }

  async beginTransaction(connection: Connection, settings: TransactionSettings): Promise<void> {
    connection.transaction = new OpenTransaction(this.#pool, this.#shared, settings)
  }

  async commitTransaction(connection: Connection): Promise<void> {
    try {
      await connection.transaction?.commit()
    } catch (error) {
      connection.broken = !isRolledBack(error)
      throw error
    }
  }

  async rollbackTransaction(connection: Connection): Promise<void> {
    try {
      await connection.transaction?.rollback()
    } catch (error) {
      connection.broken = true
      throw error
    }
  }

  async releaseConnection(connection: Connection): Promise<void> {
    await connection.transaction?.release(connection.broken)
  }

  async destroy(): Promise<void> {
    await this.#shared.close()
    await this.#pool.end()
  }
}

export const pipeliningDialect = (pool: pg.Pool, shared: SharedClients): Dialect => ({
  createDriver: () => new PipeliningDriver(pool, shared),
  createQueryCompiler: () => new PostgresQueryCompiler(),
  createAdapter: () => new PostgresAdapter(),
  createIntrospector: (db) => new PostgresIntrospector(db)
})
