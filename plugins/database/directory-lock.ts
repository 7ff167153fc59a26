import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { StartupError } from '../startup/error.ts'

const longestSocketPath = 100

const lockPath = (dataDir: string): string => {
  const path = join(resolve(dataDir), 'lock.sock')
  if (Buffer.byteLength(path) <= longestSocketPath) return path
  return join(tmpdir(), `atlas-${createHash('sha256').update(path).digest('hex').slice(0, 24)}.sock`)
}

const listen = async (path: string): Promise<Server> => {
  const server = createServer((socket) => socket.destroy()).listen(path)
  await once(server, 'listening')
  return server.unref()
}

const isInUse = async (path: string): Promise<boolean> => {
  const socket = connect(path)
  const isAccepted = await once(socket, 'connect').then(
    () => true,
    () => false
  )
  socket.destroy()
  return isAccepted
}

const inUse = (dataDir: string): StartupError =>
  new StartupError(
    `Another AtlasForge process uses the data directory ${dataDir}: stop it, or set ATLAS_DATA_DIR to another directory.`
  )

/**
 * Checks that no process uses a data directory, and changes nothing.
 *
 * @throws StartupError when another process uses the directory.
 */
export const checkDirectory = async (dataDir: string): Promise<void> => {
  const path = lockPath(dataDir)
  if (existsSync(path) && (await isInUse(path))) throw inUse(dataDir)
}

/**
 * Locks a data directory for this process. Two processes would silently overwrite each other's data.
 *
 * The lock is a socket that the process listens on. The kernel closes it when the process ends, even after a crash, so a socket that refuses connections is a
 * stale lock.
 *
 * @throws StartupError when another process uses the directory.
 */
export const lockDirectory = async (dataDir: string): Promise<() => Promise<void>> => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const path = lockPath(dataDir)
  let server: Server
  try {
    server = await listen(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    if (await isInUse(path)) throw inUse(dataDir)
    rmSync(path, { force: true })
    server = await listen(path)
  }
  return () => new Promise((done) => server.close(() => done()))
}
