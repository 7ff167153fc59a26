import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const home = fileURLToPath(new URL('../..', import.meta.url))
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc')

/**
 * Compiles the client with its declarations to a folder that is a package by itself: it has this package's name and version and no
 * dependency, so that `npm pack <folder>` packs `atlasforge/client` without the server.
 */
export const buildClient = (folder: string): void => {
  execFileSync(process.execPath, [compiler, '-p', join(home, 'client/tsconfig.json'), '--outDir', folder], {
    stdio: 'inherit'
  })
  const { name, version, license } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as Record<
    string,
    string
  >
  const entry = { types: './client/index.d.ts', default: './client/index.js' }
  const description = 'The typed client of AtlasForge.'
  const manifest = {
    name,
    version,
    description,
    license,
    type: 'module',
    sideEffects: false,
    exports: { './client': entry }
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  copyFileSync(join(home, 'LICENSE'), join(folder, 'LICENSE'))
}
