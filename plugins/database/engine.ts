import type { CompiledQuery, QueryResult } from 'kysely'

export type SendStatement = (text: string, values: readonly unknown[]) => Promise<QueryResult<unknown>>

/** A connection for one transaction. It pipelines statements and runs them in order. */
export interface Session {
  send: SendStatement
  /** @throws Error when the database rolled back because an earlier statement had failed. */
  commit(): Promise<void>
  /** @param isBroken whether the state of the connection is unknown, so that it must be closed. */
  release(isBroken: boolean): void
}

/** The differences between the two databases. */
export interface Engine {
  /** Sends a statement that is a transaction of its own. */
  send: SendStatement
  openSession(): Promise<Session>
  close(): Promise<void>
}

/** A statement that is pipelined with the commit of its transaction; see `PreparedStatement.withCommit`. */
export interface CommitStatement extends CompiledQuery {
  readonly sharesCommit: true
}
