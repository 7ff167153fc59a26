import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the project. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Options of Node.js for compiled tests and the programs that they start. The embedded PostgreSQL is WebAssembly, and optimising it costs more than it saves
 * in a process that lives for seconds: a fifth of the CPU time of a test file.
 */
export const compiledArguments = ['--enable-source-maps', '--liftoff-only']

/** Options of Node.js to run the source of a script. */
export const sourceToRun = (script: string): string[] => ['--import', 'tsx', script]

/**
 * Arguments of Node.js to run a script in the project's root: the script compiled together with the tests if they are compiled, otherwise its source.
 * Both behave the same, but compiling the script again would take most of the time of a short test.
 *
 * @param script its source's path from the root, such as `scripts/doctor.ts`
 */
export const scriptToRun = (script: string): string[] => {
  const compiled = process.env.COMPILED_TESTS
  return compiled === undefined
    ? sourceToRun(script)
    : [...compiledArguments, join(compiled, script.replace(/\.ts$/, '.js'))]
}
