import { createHash } from 'node:crypto'
import type pg from 'pg'
import { collect } from './collector.ts'

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
  const currentHolder = (): Promise<pg.Client> => (connecting ??= open())
  /** Takes several locks in one statement. Returns the connection that holds each; undefined for a lock that another session holds. */
  const take = collect(async (names: string[]) => {
    const holder = await currentHolder()
    const { rows } = await holder.query<{ taken: boolean }>({
      name: 'take-locks',
      text: 'select pg_try_advisory_lock(number) as taken from unnest($1::bigint[]) with ordinality as wanted (number, place) order by place',
      values: [names.map(lockNumber)]
    })
    return rows.map(({ taken }) => (taken ? holder : undefined))
  })
  const giveBack = collect(async (locks: { name: string; holder: pg.Client }[]) => {
    const holder = await connecting
    // A connection that is lost has released its locks.
    const numbers = locks.filter((lock) => lock.holder === holder).map(({ name }) => lockNumber(name))
    await holder?.query({
      name: 'release-locks',
      text: 'select pg_advisory_unlock(number) from unnest($1::bigint[]) as held (number)',
      values: [numbers]
    })
    return locks
  })
  return {
    async tryAcquire(name) {
      if (held.has(name)) return undefined
      held.add(name)
      const forgetName = (): void => void held.delete(name)
      try {
        const holder = await take(name)
        if (holder !== undefined) return async () => await giveBack({ name, holder }).then(forgetName, forgetName)
        forgetName()
        return undefined
      } catch (error) {
        forgetName()
        throw error
      }
    },
    async close() {
      if (connecting !== undefined) await (await connecting).end()
    }
  }
}
