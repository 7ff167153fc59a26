import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import type { Cleaner } from '../build-app.ts'
import { freePort } from './ports.ts'
import { makeFolder, needProgram, startProgram, type Program } from './programs.ts'
import { until } from './waiting.ts'

export interface PostgresServer {
  port: number
  /** URL of its database `postgres`. */
  url: string
  /** Its data directory. */
  dataDir: string
  start(): Promise<void>
  /** Kills every process of the server at once, as a crash of the machine does. */
  crash(): Promise<void>
  /** Shuts it down cleanly: ends sessions and writes all data to disk. */
  stop(): Promise<void>
  isRunning(): boolean
}

export interface PostgresOptions {
  /** An existing folder for the data, such as one on a small disk. */
  folder?: string
  /** Whether commits reach the disk before they are acknowledged; disable this only for a server that is never killed. */
  durable: boolean
  /** Further settings, such as `max_wal_size=64MB`. */
  settings?: string[]
}

/** PostgreSQL refuses to run as root, so root switches to the user that its package created. */
const identity = (): { uid: number; gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

const childrenOf = (pid: number): number[] => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] !== 'Z'
  } catch {
    return false
  }
}

const killHard = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has exited already.
  }
}

const acceptsConnections = async (url: string): Promise<boolean> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** A PostgreSQL server that belongs to the test, which may kill it. */
export const startPostgres = async (
  t: Cleaner,
  { folder = makeFolder(t, 'postgres'), durable, settings = [] }: PostgresOptions
): Promise<PostgresServer> => {
  const initdb = needProgram('initdb', 'postgresql')
  const postgres = needProgram('postgres', 'postgresql')
  const user = identity()
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir, { mode: 0o700 })
  if (user !== undefined) for (const path of [folder, dataDir]) chownSync(path, user.uid, user.gid)
  execFileSync(initdb, ['-D', dataDir, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--wal-segsize=4'], {
    ...user,
    cwd: folder,
    stdio: 'pipe'
  })
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const wanted = [
    'listen_addresses=127.0.0.1',
    'max_connections=200',
    ...(durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
    ...settings
  ]
  const args = ['-D', dataDir, '-p', String(port), '-k', folder, ...wanted.flatMap((setting) => ['-c', setting])]
  let program: Program | undefined
  const server: PostgresServer = {
    port,
    url,
    dataDir,
    async start() {
      const started = startProgram(t, postgres, args, { ...user, cwd: folder })
      program = started
      await until('PostgreSQL accepts connections', async () => {
        if (started.child.exitCode !== null) throw new Error(`PostgreSQL did not start:\n${started.output()}`)
        return await acceptsConnections(url)
      })
    },
    async crash() {
      const pid = program?.child.pid
      if (pid === undefined) return
      const children = childrenOf(pid)
      await program?.end('SIGKILL')
      children.forEach(killHard)
      await until('every process of PostgreSQL has exited', () => children.every((child) => !isAlive(child)))
    },
    stop: async () => await program?.end('SIGINT'),
    isRunning: () => program !== undefined && program.isRunning()
  }
  await server.start()
  t.teardown(() => server.crash())
  return server
}
