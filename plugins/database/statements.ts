import { createHash } from 'node:crypto'
import type { QueryResult } from 'kysely'
import type pg from 'pg'
import { ownLimitMs } from './time-limit.ts'

const statementNames = new Map<string, string>()
const mostStatements = 1000

/** Names a statement's text, so that PostgreSQL plans it once per connection. Beyond the limit texts stay unnamed, so that dynamic SQL cannot fill the memory. */
const nameOf = (text: string): string | undefined => {
  const known = statementNames.get(text)
  if (known !== undefined || statementNames.size >= mostStatements) return known
  const name = createHash('sha256').update(text).digest('base64url').slice(0, 40)
  statementNames.set(text, name)
  return name
}

const changing = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

type Client = Pick<pg.ClientBase, 'query'>

/** Sends a statement, under a name if it has parameters. */
export const query = async (client: Client, text: string, values: readonly unknown[]): Promise<pg.QueryResult> => {
  const name = values.length > 0 ? nameOf(text) : undefined
  const limitMs = ownLimitMs()
  return await client.query({
    text,
    values: values as unknown[],
    ...(name === undefined ? {} : { name }),
    ...(limitMs === undefined ? {} : { query_timeout: limitMs })
  })
}

/** Pipelines a statement after the earlier ones on this connection. */
export const sendTo = async (
  client: Client,
  text: string,
  values: readonly unknown[]
): Promise<QueryResult<unknown>> => {
  const { command, rowCount, rows } = await query(client, text, values)
  return { rows, ...(changing.has(command) ? { numAffectedRows: BigInt(rowCount ?? 0) } : {}) }
}
