import type { CompiledQuery, QueryResult } from 'kysely'

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

/** A statement that is sent together with the commit of its transaction; see `PreparedStatement.withCommit`. */
export interface CommitStatement extends CompiledQuery {
  readonly sharesCommit: true
}
