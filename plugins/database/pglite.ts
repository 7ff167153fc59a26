import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import type { Engine, SendStatement } from './engine.ts'
import { planOnce } from './settings.ts'
import { parseDate, parseInt8, typeIds } from './values.ts'

/** PGlite parses timestamps with JavaScript's `Date`, which reads the year 1 as 2001. The parser of pg does not. */
const parseTimestamp = pg.types.getTypeParser(typeIds.timestamptz, 'text') as (text: string) => unknown

/** PGlite reserves 160 MB for buffers by default. The operating system caches the files as well, so a developer's machine needs less. */
const startParams = [...PGlite.defaultStartParams, '-c', 'shared_buffers=32MB']

/** Opens the embedded database in a directory. */
export const openPglite = async (dataDir: string): Promise<PGlite> => {
  const pglite = await PGlite.create({
    dataDir,
    startParams,
    parsers: { [typeIds.int8]: parseInt8, [typeIds.date]: parseDate, [typeIds.timestamptz]: parseTimestamp }
  })
  await pglite.exec(planOnce)
  return pglite
}

/** The embedded database has one connection: transactions and single statements use it in order of arrival. */
export const createPgliteEngine = (pglite: PGlite): Engine => {
  let last: Promise<void> = Promise.resolve()
  const takeTurn = async (): Promise<() => void> => {
    const before = last
    let endTurn = (): void => undefined
    last = new Promise((resolve) => {
      endTurn = resolve
    })
    await before
    return endTurn
  }
  const send: SendStatement = async (text, values) => {
    const { rows, affectedRows } = await pglite.query(text, [...values])
    return { rows, ...(affectedRows === undefined ? {} : { numAffectedRows: BigInt(affectedRows) }) }
  }
  return {
    async send(text, values) {
      const endTurn = await takeTurn()
      try {
        return await send(text, values)
      } finally {
        endTurn()
      }
    },
    async openSession() {
      const endTurn = await takeTurn()
      return {
        send,
        async commit() {
          try {
            // A commit of a failed transaction rolls back without an error, but any other statement fails.
            await send('select', [])
          } catch (error) {
            await send('rollback', [])
            throw error
          }
          await send('commit', [])
        },
        release: endTurn
      }
    },
    close: async () => undefined
  }
}
