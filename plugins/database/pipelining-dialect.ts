import { PostgresDialect, PostgresDriver, type CompiledQuery, type DatabaseConnection, type Dialect, type Driver, type QueryResult, type TransactionSettings } from 'kysely'
import type pg from 'pg'
import type { SharedClients } from './shared-clients.ts'

/** A connection as the driver of PostgreSQL makes it. */
type OwnConnection = Parameters<PostgresDriver['releaseConnection']>[0]

/** What Kysely takes for a connection: it shares others' until a transaction begins on it, and has one of its own from then on. */
class Connection implements DatabaseConnection {
  own: OwnConnection | undefined
  readonly #shared: SharedClients

  constructor(shared: SharedClients) {
    this.#shared = shared
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return await (this.own === undefined ? this.#shared.query<Row>(query) : this.own.executeQuery<Row>(query))
  }

  streamQuery(): AsyncIterableIterator<never> {
    throw new Error('Nothing of this server streams rows; read pages by a key.')
  }
}

const ownOf = (connection: DatabaseConnection): OwnConnection => {
  if (connection instanceof Connection && connection.own !== undefined) return connection.own
  throw new Error('There is no transaction on this connection.')
}

/** Sends single statements over shared, pipelining connections, and gives each transaction a connection of its own from the pool. */
class PipeliningDriver implements Driver {
  readonly #transactions: PostgresDriver
  readonly #shared: SharedClients

  constructor(pool: pg.Pool, shared: SharedClients) {
    this.#transactions = new PostgresDriver({ pool })
    this.#shared = shared
  }

  async init(): Promise<void> {
    await this.#transactions.init()
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    return new Connection(this.#shared)
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    if (!(connection instanceof Connection)) throw new Error('The connection is not of this driver.')
    const own = (await this.#transactions.acquireConnection()) as OwnConnection
    connection.own = own
    // Not waited for: it goes out with the statement behind it. It can fail only with the connection, and then that statement fails as well.
    this.#transactions.beginTransaction(own, settings).catch(() => undefined)
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#transactions.commitTransaction(ownOf(connection))
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#transactions.rollbackTransaction(ownOf(connection))
  }

  async savepoint(connection: DatabaseConnection, ...rest: DropFirst<Parameters<PostgresDriver['savepoint']>>): Promise<void> {
    await this.#transactions.savepoint(ownOf(connection), ...rest)
  }

  async rollbackToSavepoint(connection: DatabaseConnection, ...rest: DropFirst<Parameters<PostgresDriver['rollbackToSavepoint']>>): Promise<void> {
    await this.#transactions.rollbackToSavepoint(ownOf(connection), ...rest)
  }

  async releaseSavepoint(connection: DatabaseConnection, ...rest: DropFirst<Parameters<PostgresDriver['releaseSavepoint']>>): Promise<void> {
    await this.#transactions.releaseSavepoint(ownOf(connection), ...rest)
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    if (connection instanceof Connection && connection.own !== undefined) await this.#transactions.releaseConnection(connection.own)
  }

  async destroy(): Promise<void> {
    await this.#shared.close()
    await this.#transactions.destroy()
  }
}

type DropFirst<List extends unknown[]> = List extends [unknown, ...infer Rest] ? Rest : never

export const pipeliningDialect = (pool: pg.Pool, shared: SharedClients): Dialect => {
  const postgres = new PostgresDialect({ pool })
  return {
    createDriver: () => new PipeliningDriver(pool, shared),
    createQueryCompiler: () => postgres.createQueryCompiler(),
    createAdapter: () => postgres.createAdapter(),
    createIntrospector: (db) => postgres.createIntrospector(db)
  }
}
