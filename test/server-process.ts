import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPostgresDatabase, type Cleaner } from './build-app.ts'

const root = new URL('..', import.meta.url)

export interface ServerProcess {
  env: Record<string, string>
  url: string
  /** All that it has printed so far, on both streams. */
  output(): string
  signal(name: NodeJS.Signals): void
  /** Resolves to its exit code. */
  ended: Promise<number | null>
}

/** The settings of a server with a folder and a database of its own, both removed after the test. */
export const ownSettings = async (t: Cleaner): Promise<Record<string, string>> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'atlas-process-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const settings = { PATH: process.env.PATH ?? '', NODE_ENV: 'test', ATLAS_DATA_DIR: dataDir }
  const postgres = process.env.TEST_DATABASE_URL
  if (postgres === undefined || postgres === '') return settings
  const { url, drop } = await createPostgresDatabase(postgres)
  t.after(drop)
  return { ...settings, DATABASE_URL: url }
}

/** The real process, as an operator starts it, on a free port; killed after the test if it still runs. `adapt` changes its settings last. */
export const startServer = async (t: Cleaner, more: Record<string, string> = {}, adapt = (env: Record<string, string>) => env): Promise<ServerProcess> => {
  const env = adapt({ ...(await ownSettings(t)), PORT: '0', ...more })
  const child = spawn(process.execPath, ['--import', 'tsx', 'server.ts'], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const url = await new Promise<string>((listening, failed) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString()
      const found = /listens on (http:\/\/localhost:\d+)/.exec(output)
      if (found?.[1] !== undefined) listening(found[1])
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    void ended.then((code) => failed(new Error(`The server ended with ${code}:\n${output}`)))
  })
  return { env, url: url.replace('localhost', '127.0.0.1'), output: () => output, signal: (name) => void child.kill(name), ended }
}
