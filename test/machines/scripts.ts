import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the project. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * What Node.js is to be started with to run a script of the project, in the project's root: the script as it was compiled together with the tests, where they were,
 * else its source. It does the same either way, but to compile it anew would take most of a short test.
 *
 * @param script its source's path from the root, such as `scripts/doctor.ts`
 */
export const scriptToRun = (script: string): string[] => {
  const compiled = process.env.COMPILED_TESTS
  return compiled === undefined
    ? ['--import', 'tsx', script]
    : ['--enable-source-maps', join(compiled, script.replace(/\.ts$/, '.js'))]
}
