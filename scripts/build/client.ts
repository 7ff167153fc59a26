import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const home = fileURLToPath(new URL('../..', import.meta.url))
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc')

interface Manifest {
  name: string
  version: string
  license: string
  engines: Record<string, string>
}

/**
 * Compiles the client with its declarations to a folder that is a package by itself: it has this package's name and version and no
 * dependency, so that `npm pack <folder>` packs the client without the server.
 */
export const buildClient = (folder: string): void => {
  execFileSync(process.execPath, [compiler, '-p', join(home, 'client/tsconfig.json'), '--outDir', folder], {
    stdio: 'inherit'
  })
  const { name, version, license, engines } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as Manifest
  const entry = { types: './client/index.d.ts', default: './client/index.js' }
  const description = 'The typed client of AtlasForge.'
  const manifest = {
    name,
    version,
    description,
    license,
    type: 'module',
    sideEffects: false,
    engines,
    // The last two are for tools that do not read `exports`.
    exports: { '.': entry, './client': entry, './package.json': './package.json' },
    main: entry.default,
    types: entry.types
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  copyFileSync(join(home, 'LICENSE'), join(folder, 'LICENSE'))
  copyFileSync(join(home, 'client/README.md'), join(folder, 'README.md'))
}
