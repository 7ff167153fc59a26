import {
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type QueryResult
} from 'kysely'
import type { CommitStatement, Engine, Session } from './engine.ts'
import { isRolledBack } from './transaction.ts'

const isCommitStatement = (query: CompiledQuery): query is CommitStatement => 'sharesCommit' in query

/** Kysely's connection: single statements use the engine, each transaction uses a session. */
class Connection implements DatabaseConnection {
  readonly #atCommit: CompiledQuery[] = []
  #session: Session | undefined
  #begun: Promise<unknown> | undefined
  #isEnding = false
  #isBroken = false

  constructor(private readonly engine: Engine) {}

  /** Pipelines `begin` with the first statement, which fails if `begin` fails. */
  async begin(): Promise<void> {
    this.#session = await this.engine.openSession()
    this.#begun = this.#session.send('begin', [])
    this.#begun.catch(() => undefined)
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (this.#session === undefined) return (await this.engine.send(query.sql, query.parameters)) as QueryResult<Row>
    // The statement would run after the commit, outside the transaction.
    if (this.#isEnding) throw new Error('The transaction is ending. Send every statement before its work returns.')
    if (isCommitStatement(query)) {
      this.#atCommit.push(query)
      return { rows: [] }
    }
    const [, result] = await Promise.all([this.#begun, this.#session.send(query.sql, query.parameters)])
    return result as QueryResult<Row>
  }

  async end(command: 'commit' | 'rollback'): Promise<void> {
    const session = this.#session
    // Kysely rolls back after a failed commit, which has already ended the transaction.
    if (session === undefined || this.#isEnding) return
    this.#isEnding = true
    const statements = command === 'commit' ? this.#atCommit : []
    const sent = [this.#begun, ...statements.map(({ sql, parameters }) => session.send(sql, parameters))]
    const ended = command === 'commit' ? session.commit() : session.send('rollback', [])
    // The first failure causes the following ones.
    const failed = (await Promise.allSettled([...sent, ended])).find((result) => result.status === 'rejected')
    if (failed === undefined) return
    this.#isBroken = !isRolledBack(failed.reason)
    throw failed.reason
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
