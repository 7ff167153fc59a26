import { cpSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from './build/bundle.ts'
import { buildClient } from './build/client.ts'
import { runWithArguments } from './command.ts'
import { announce } from './progress.ts'

const help = `Compiles the server to dist/, together with the files that it reads. \`node dist/server.js\` runs it with production dependencies only.
The typed client is in dist/client, with its declarations and as a package by itself: \`npm pack ./dist/client\`.

  npm run build

  --help   this text
`

const require = createRequire(import.meta.url)
const home = fileURLToPath(new URL('..', import.meta.url))
const dist = join(home, 'dist')

const commands = [
  'bureau-replay',
  'doctor',
  'export-openapi',
  'ledger-verify',
  'mcp',
  'migrate',
  'operator',
  'quickstart'
]

const find = (folder: string, matches: RegExp): string[] =>
  readdirSync(join(home, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => join(folder, path))
    .filter((path) => matches.test(path))

/** Programs to start by hand, and the modules, which the server finds by reading their folder. */
const entryPoints = [
  'server.ts',
  ...commands.map((name) => `scripts/${name}.ts`),
  ...find('modules', /^modules\/[^/]+\/plugin\.ts$/)
]

/** Files that the server reads at run time: from → to, inside dist. */
const copies: [from: string, to: string][] = [
  [join(home, 'spec/generated/openapi.json'), 'spec/generated/openapi.json'],
  ...[...find('plugins', /\.sql$/), ...find('simulators', /\.sql$/)].map((path): [string, string] => [path, path]),
  ...['redoc.standalone.js', 'redoc.standalone.js.LICENSE.txt'].map((name): [string, string] => [
    require.resolve(`redoc/bundles/${name}`),
    `modules/documents/${name}`
  ])
]

runWithArguments({ help, options: {} }, async () => {
  announce('Compiling the server and its commands')
  rmSync(dist, { recursive: true, force: true })
  await bundle({ entryPoints, outdir: dist, home: '.' })
  for (const [from, to] of copies) cpSync(from, join(dist, to))
  announce('Compiling the client and its declarations')
  buildClient(join(dist, 'client'))
  process.stdout.write('The build is complete: `node dist/server.js` runs the server.\n')
})
