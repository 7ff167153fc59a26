import { readdirSync } from 'node:fs'
import { cp, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build, type Plugin } from 'esbuild'

const into = 'bundled'
const migrations = 'plugins/database/migrations'

const urlOf = (path: string): string => JSON.stringify(pathToFileURL(join(process.cwd(), into, path)).href)

/** Where a file of ours finds its neighbours is where it would lie without having been bundled. */
const places: Plugin = {
  name: 'places',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const place = relative(process.cwd(), path)
      if (place.includes('node_modules')) return undefined
      const text = await readFile(path, 'utf8')
      return { loader: 'ts', contents: text.replaceAll('import.meta.url', urlOf(place.replace(/\.ts$/, '.js'))) }
    })
  }
}

/**
 * Run by Stryker in its copy of the project: what it starts a thousand times is compiled once, and put into few files together with its dependencies, since to
 * find and read hundreds of them takes half of a start.
 */
const { values } = parseArgs({ options: { domain: { type: 'string', multiple: true, default: [] }, test: { type: 'string', multiple: true, default: [] } } })
await build({
  entryPoints: [
    ...values.test.map((path) => `test/${path}.test.ts`),
    ...values.domain.map((domain) => `modules/${domain}/plugin.ts`),
    ...readdirSync(migrations).map((file) => join(migrations, file))
  ],
  outbase: '.',
  outdir: into,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
  // What is not JavaScript alone.
  external: ['@electric-sql/pglite', '@node-rs/argon2', 'pg-native'],
  banner: { js: `import { createRequire as requireOfBundle } from 'node:module'; const require = requireOfBundle(${urlOf('bundle.js')});` },
  plugins: [places]
})
await cp('spec/generated/openapi.json', join(into, 'spec/generated/openapi.json'))
