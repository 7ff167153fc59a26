import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createPostgresDatabase } from '../../test/build-app.ts'
import { bundle } from '../build/bundle.ts'

/** A server in a separate process. */
export interface Child {
  process: ChildProcess
  url: string
}

export const ingestSecret = 'the-secret-of-the-benchmark'

/** Production, with a bank of ours in place of Plaid. */
const settings = {
  NODE_ENV: 'production',
  REDIS_URL: '',
  LOG_LEVEL: 'silent',
  ATLAS_INGEST_SECRET: ingestSecret,
  ATLAS_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
  ATLAS_JWT_SECRET: 'a-secret-for-the-benchmark-alone-0123456789',
  PLAID_CLIENT_ID: 'bench',
  PLAID_SECRET: 'the-secret-of-the-bank',
  PLAID_ENV: 'sandbox',
  // High enough that a pause of the machine causes no 503.
  ATLAS_OVERLOAD_LOOP_DELAY_MS: '60000'
}

const home = fileURLToPath(new URL('../..', import.meta.url))
const compiled = join(home, '.cache/bench')

/** Compiles the measured code as for production. */
const compile = async (): Promise<void> => {
  rmSync(compiled, { recursive: true, force: true })
  const entryPoints = ['bank', 'product', 'floor', 'loop'].map((name) => `scripts/bench/${name}.ts`)
  await bundle({ entryPoints, outdir: compiled, home: '../..' })
}

const begin = async (script: string, more: NodeJS.ProcessEnv, message?: object): Promise<Child> => {
  const env = { ...process.env, ...settings, ...more }
  const child = fork(join(compiled, 'scripts/bench', script), [], { env, execArgv: [], serialization: 'json' })
  if (message !== undefined) child.send(message)
  const [started] = (await once(child, 'message')) as [{ url: string }]
  return { process: child, url: started.url }
}

const end = async ({ process: child }: Child): Promise<void> => {
  child.kill('SIGTERM')
  await once(child, 'exit')
}

export interface Stage {
  /** Creates a database, dropped at the end. @returns its URL */
  createDatabase: () => Promise<string>
  /** Starts a script, stopped at the end. @param message sent to a script that waits for it before it listens */
  start: (script: string, more: NodeJS.ProcessEnv, message?: object) => Promise<Child>
}

/** Compiles the measured code, runs `work`, and ends what it started. @param server a PostgreSQL server whose user can create databases */
export const onStage = async (server: string, work: (stage: Stage) => Promise<void>): Promise<void> => {
  await compile()
  const toEnd: (() => Promise<void>)[] = []
  const stage: Stage = {
    async createDatabase() {
      const created = await createPostgresDatabase(server)
      toEnd.unshift(() => created.drop())
      return created.url
    },
    async start(script, more, message) {
      const child = await begin(script, more, message)
      toEnd.unshift(() => end(child))
      return child
    }
  }
  try {
    await work(stage)
  } finally {
    for (const last of toEnd) await last()
  }
}
