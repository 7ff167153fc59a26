import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

export interface BundleOptions {
  /** The files to start or import by path, from the root of the project. */
  entryPoints: string[]
  /** The folder for the compiled files. It has to be inside the project, where Node.js finds the packages left out of the bundle. */
  outdir: string
  /** The folder in which compiled code looks for files beside its source, such as SQL: an absolute path, or one relative to `outdir`. */
  home: string
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Left to Node.js to load: packages that are not JavaScript, or of which a process must have one instance only. */
const external = [
  '@electric-sql/pglite',
  '@fastify/swagger-ui',
  '@node-rs/argon2',
  // CommonJS, imported on first use: a bundle would lose its named exports.
  '@zxcvbn-ts/language-common',
  'esbuild',
  'newman',
  // Starts threads from its own file.
  'piscina',
  'playwright-core',
  'prettier',
  'tap',
  'tsx',
  'typescript',
  // Loads each of its hundreds of files on first use.
  'twilio',
  // Loaded by tracing only, by names that a bundle of CommonJS does not have.
  '@opentelemetry/*',
  // Patched by tracing, and by tests that record its calls.
  'pg',
  'axios'
]

/** The programs of worker threads. They are compiled into every bundle, because any server may start them. */
const threads = ['modules/documents/download-thread.ts', 'modules/insights/forecast-thread.ts']

/**
 * Our code finds files relative to its source, which a bundle moves. So `import.meta` becomes an object made by the module `#home`,
 * which knows where the sources, or copies of the files beside them, are. Its `resolve` finds the compiled program of a worker thread.
 */
const places: Plugin = {
  name: 'places',
  setup(compiler) {
    compiler.onResolve({ filter: /^#home$/ }, ({ path }) => ({ path, external: true }))
    compiler.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const place = relative(root, path)
      if (place.includes('node_modules')) return undefined
      const source = await readFile(path, 'utf8')
      if (!source.includes('import.meta')) return { loader: 'ts', contents: source }
      const contents = source.replaceAll('import.meta', `atHome(${JSON.stringify(place)})`)
      return { loader: 'ts', contents: `${contents}\nimport { atHome } from '#home'` }
    })
  }
}

/** Writes `#home`, resolved by the nearest package.json, so that the compiled folder can be moved when `home` is relative. */
const writeHome = (outdir: string, home: string): void => {
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, string>
  const manifest = { name, version, type: 'module', imports: { '#home': './home.js' } }
  mkdirSync(outdir, { recursive: true })
  writeFileSync(join(outdir, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  writeFileSync(
    join(outdir, 'home.js'),
    `import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const compiled = dirname(fileURLToPath(import.meta.url))
const home = resolve(compiled, ${JSON.stringify(home)})

export const atHome = (place) => {
  const filename = join(home, place)
  const url = pathToFileURL(filename).href
  const urlOfProgram = (path) => pathToFileURL(join(compiled, dirname(place), path.replace(/\\.ts$/, '.js'))).href
  return { url, filename, dirname: dirname(filename), resolve: urlOfProgram }
}
`
  )
}

/** Compiles programs together with their dependencies into few files, because loading a thousand files takes most of a start. */
export const bundle = async ({ entryPoints, outdir, home }: BundleOptions): Promise<void> => {
  writeHome(outdir, home)
  await build({
    entryPoints: [...entryPoints, ...threads],
    absWorkingDir: root,
    outbase: root,
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // V8 keeps the source text in memory: whole names, half the text, 25 MiB less in a server. The source maps undo it in stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
    external,
    banner: {
      js: `import { createRequire as requireOfBundle } from 'node:module'; const require = requireOfBundle(import.meta.url);`
    },
    plugins: [places]
  })
}
