import { createPostgresDatabase, fillDataDir, type Cleaner } from '../build-app.ts'
import { freePort } from './ports.ts'
import { makeFolder, startProgram, type Program } from './programs.ts'
import { root, scriptToRun } from './scripts.ts'
import { until } from './waiting.ts'

export interface ServerProcess {
  url: string
  port: number
  start(): Promise<void>
  /** `kill -9`. */
  crash(): Promise<void>
  /** Sends SIGTERM and waits until the process has drained and exited. Returns the exit code. */
  drain(): Promise<number | null>
  /** Its log since the last start. */
  output(): string
  /** Whether the process is running. */
  isRunning(): boolean
}

const isReady = async (url: string): Promise<boolean> =>
  await fetch(`${url}/api/v1/health/ready`, { signal: AbortSignal.timeout(30_000) }).then(
    (response) => response.ok,
    () => false
  )

/** The settings of a server with a folder and a migrated, empty database of its own, both removed after the test. */
export const ownSettings = async (t: Cleaner): Promise<Record<string, string>> => {
  const settings = { NODE_ENV: 'test', ATLAS_DATA_DIR: makeFolder(t, 'process') }
  const postgres = process.env.TEST_DATABASE_URL
  if (postgres === undefined || postgres === '') {
    await fillDataDir(settings.ATLAS_DATA_DIR)
    return settings
  }
  const { url, drop } = await createPostgresDatabase(postgres)
  t.teardown(drop)
  return { ...settings, DATABASE_URL: url }
}

/**
 * The real server as a separate process with only these settings; killed after the test if it still runs.
 */
export const startServerProcess = async (t: Cleaner, settings: Record<string, string>): Promise<ServerProcess> => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    ...settings,
    HOST: '127.0.0.1',
    PORT: String(port)
  }
  let program: Program | undefined
  const isRunning = () => program !== undefined && program.isRunning()
  const server: ServerProcess = {
    url,
    port,
    async start() {
      program = startProgram(t, process.execPath, scriptToRun('server.ts'), {
        cwd: root,
        env
      })
      await until('the server responds', async () => {
        if (!isRunning()) throw new Error(`The server exited unexpectedly:\n${server.output().slice(-4_000)}`)
        return await isReady(url)
      })
    },
    crash: async () => await program?.end('SIGKILL'),
    async drain() {
      await program?.end('SIGTERM')
      return program?.child.exitCode ?? null
    },
    output: () => program?.output() ?? '',
    isRunning
  }
  await server.start()
  return server
}
