import type { CompiledQuery, QueryResult } from 'kysely'
import type pg from 'pg'

const changing = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

const corked = new WeakSet<pg.ClientBase>()

/** Lets what is sent in one turn of the event loop leave in one write, since each write costs more than what it writes. */
const gatherWrites = (client: pg.ClientBase): void => {
  if (corked.has(client)) return
  const { stream } = (client as pg.Client).connection
  corked.add(client)
  stream.cork()
  setImmediate(() => {
    corked.delete(client)
    stream.uncork()
  })
}

const send = async (client: pg.ClientBase, text: string, values: readonly unknown[]): Promise<pg.QueryResult> => {
  gatherWrites(client)
  try {
    return await client.query(text, values as unknown[])
  } catch (error) {
    // It was made where the answer was read; whoever looks for the fault wants to know where the statement came from.
    if (error instanceof Error) Error.captureStackTrace(error)
    throw error
  }
}

/**
 * Sends a statement, behind what was sent before on this connection.
 * @throws the database's error, with the place in this program from which the statement came.
 */
export const sendQuery = async <Row>(
  client: pg.ClientBase,
  { sql, parameters }: CompiledQuery
): Promise<QueryResult<Row>> => {
  const { command, rowCount, rows } = await send(client, sql, parameters)
  return { rows: rows as Row[], ...(changing.has(command) ? { numAffectedRows: BigInt(rowCount ?? 0) } : {}) }
}

/** Sends what has no parameters, such as `begin`. @returns what the database says that it did, such as `BEGIN`. */
export const sendCommand = async (client: pg.ClientBase, text: string): Promise<string> =>
  (await send(client, text, [])).command
