import { execFileSync, fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, cpSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A server in a process of its own. */
export interface Child {
  process: ChildProcess
  url: string
}

const home = fileURLToPath(new URL('../..', import.meta.url))
const compiled = join(home, '.cache/bench')

/** Compiles what is measured as for production: what compiles while it loads adds something of its own to functions. */
export const compile = (): void => {
  rmSync(compiled, { recursive: true, force: true })
  execFileSync(
    process.execPath,
    [createRequire(import.meta.url).resolve('typescript/bin/tsc'), '-p', join(home, 'scripts/bench')],
    { stdio: 'inherit' }
  )
  for (const file of ['package.json', 'spec/generated/openapi.json'])
    copyFileSync(join(home, file), join(compiled, file))
  cpSync(join(home, 'plugins/database/functions'), join(compiled, 'plugins/database/functions'), { recursive: true })
}

/** @param message what the script waits for before it listens, if it does */
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
