import { readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'

export interface BundleOptions {
  /** The files that are started or imported by themselves, from the root of the project. */
  entryPoints: string[]
  /** The folder for what is compiled, inside the project: there Node.js finds the packages that are left out. */
  outdir: string
  /** The folder in which each file finds its neighbours, as it would if it lay there. */
  home: string
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Left to Node.js to load: files that are not JavaScript, or a package of which a process must have one only. */
const external = [
  '@electric-sql/pglite',
  '@fastify/swagger-ui',
  '@node-rs/argon2',
  'esbuild',
  'newman',
  'playwright-core',
  'tap',
  'tsx',
  'typescript',
  // Loads each of its hundreds of files when it is wanted.
  'twilio',
  // Changed in place: by the tracing, and by tests that overhear it.
  'pg',
  'axios'
]

/** Our code finds files by where it lies, which a bundle does not. */
const places = (home: string): Plugin => ({
  name: 'places',
  setup(compiler) {
    compiler.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const place = relative(root, path)
      if (place.includes('node_modules')) return undefined
      const seeming = join(home, place)
      const meta = { url: pathToFileURL(seeming).href, filename: seeming, dirname: dirname(seeming) }
      return {
        loader: 'ts',
        contents: (await readFile(path, 'utf8')).replaceAll('import.meta', `(${JSON.stringify(meta)})`)
      }
    })
  }
})

/**
 * Compiles what many processes are to start, and puts it into few files together with its dependencies: to compile, find and read a thousand of them takes most of
 * a start.
 */
export const bundle = async ({ entryPoints, outdir, home }: BundleOptions): Promise<void> => {
  await build({
    entryPoints,
    absWorkingDir: root,
    outbase: root,
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
    external,
    banner: {
      js: `import { createRequire as requireOfBundle } from 'node:module'; const require = requireOfBundle(import.meta.url);`
    },
    plugins: [places(home)]
  })
}
