import { createHash } from 'node:crypto'
import type pg from 'pg'

export type Release = () => Promise<void>

/** Named locks that last across statements and transactions. The database releases the locks of a process that dies. */
export interface Locks {
  /** Takes the lock and returns its release; undefined when any instance holds the lock. */
  tryAcquire(name: string): Promise<Release | undefined>
  close(): Promise<void>
}

/** The id of the PostgreSQL advisory lock: a signed 64-bit integer, in decimal. */
const lockNumber = (name: string): string => createHash('sha256').update(name).digest().readBigInt64BE().toString()

/** Locks of a server that does not share its database. */
export const processLocks = (): Locks => {
  const held = new Set<string>()
  return {
    async tryAcquire(name) {
      if (held.has(name)) return undefined
      held.add(name)
      return async () => void held.delete(name)
    },
    close: async () => undefined
  }
}

/**
 * Locks that all instances on one PostgreSQL share: advisory locks, held by one connection per instance. This process tracks its own locks, because a session can
 * take the same advisory lock twice.
 */
export const advisoryLocks = (connect: () => Promise<pg.Client>): Locks => {
  const held = new Set<string>()
  let connecting: Promise<pg.Client> | undefined
  const forget = (): void => {
    connecting = undefined
  }
  const open = async (): Promise<pg.Client> => {
    try {
      return (await connect()).once('end', forget).once('error', forget)
    } catch (error) {
      forget()
      throw error
    }
  }
  const release = (name: string, holder: pg.Client) => async () => {
    try {
      await holder.query('select pg_advisory_unlock($1)', [lockNumber(name)])
    } catch {
      // The connection is lost, which released its locks.
    } finally {
      held.delete(name)
    }
  }
  return {
    async tryAcquire(name) {
      if (held.has(name)) return undefined
      held.add(name)
      try {
        const holder = await (connecting ??= open())
        const { rows } = await holder.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [
          lockNumber(name)
        ])
        if (rows[0]?.taken === true) return release(name, holder)
      } catch (error) {
        held.delete(name)
        throw error
      }
      held.delete(name)
      return undefined
    },
    async close() {
      if (connecting !== undefined) await (await connecting).end()
    }
  }
}
