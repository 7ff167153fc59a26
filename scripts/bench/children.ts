import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from '../build/bundle.ts'

/** A server in a separate process. */
export interface Child {
  process: ChildProcess
  url: string
}

const home = fileURLToPath(new URL('../..', import.meta.url))
const compiled = join(home, '.cache/bench')

/** Compiles the measured code as for production. */
export const compile = async (): Promise<void> => {
  rmSync(compiled, { recursive: true, force: true })
  const entryPoints = ['bank', 'product', 'floor'].map((name) => `scripts/bench/${name}.ts`)
  await bundle({ entryPoints, outdir: compiled, home: '../..' })
}

/** @param message sent to a script that waits for it before it listens */
export const begin = async (script: string, env: NodeJS.ProcessEnv, message?: object): Promise<Child> => {
  const child = fork(join(compiled, 'scripts/bench', script), [], { env, execArgv: [], serialization: 'json' })
  if (message !== undefined) child.send(message)
  const [told] = (await once(child, 'message')) as [{ url: string }]
  return { process: child, url: told.url }
}

export const end = async ({ process: child }: Child): Promise<void> => {
  child.kill('SIGTERM')
  await once(child, 'exit')
}
