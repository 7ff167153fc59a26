import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, chmodSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Cleaner } from '../build-app.ts'

const executable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const onPath = (name: string): string | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].map((folder) => join(folder, name)).find(executable)

/** The folder of the newest PostgreSQL installed from Debian's packages. */
const postgresFolder = (): string | undefined => {
  const root = '/usr/lib/postgresql'
  try {
    const [newest] = readdirSync(root).sort((a, b) => Number(b) - Number(a))
    return newest === undefined ? undefined : join(root, newest, 'bin')
  } catch {
    return undefined
  }
}

/** The path of a program in any of Debian's folders; undefined when it is not installed. */
export const findProgram = (
  name: 'postgres' | 'initdb' | 'redis-server' | 'nginx' | 'su' | 'mount'
): string | undefined => {
  const folder = postgresFolder()
  const ofPostgres = folder === undefined ? undefined : join(folder, name)
  return ofPostgres !== undefined && executable(ofPostgres) ? ofPostgres : onPath(name)
}

/** @throws Error that names the package to install. */
export const needProgram = (name: Parameters<typeof findProgram>[0], debianPackage: string): string => {
  const path = findProgram(name)
  if (path === undefined) throw new Error(`${name} is not installed. On Debian: apt-get install ${debianPackage}`)
  return path
}

/** A folder that every user may enter, removed after the test. */
export const makeFolder = (t: Cleaner, what: string): string => {
  const folder = mkdtempSync(join(tmpdir(), `atlas-${what}-`))
  chmodSync(folder, 0o755)
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface Program {
  child: ChildProcess
  /** The last part of its output. */
  output(): string
  isRunning(): boolean
  /** Sends a signal and waits until the program has exited. */
  end(signal: NodeJS.Signals): Promise<void>
}

const mostOutput = 10_000_000

/** Starts a program as a child of this process. If it still runs after the test, it is killed by its id. */
export const startProgram = (
  t: Cleaner,
  file: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; uid?: number; gid?: number } = {}
): Program => {
  const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const keep = (part: Buffer) => {
    output = (output + part.toString('utf8')).slice(-mostOutput)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  child.on('error', (error) => keep(Buffer.from(error.message)))
  const isRunning = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null
  const end = async (signal: NodeJS.Signals) => {
    if (!isRunning()) return
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }
  t.teardown(() => end('SIGKILL'))
  return { child, output: () => output, isRunning, end }
}
