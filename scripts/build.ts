import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildClient } from './build/client.ts'

const help = `Compiles the server to dist/, with the files that it serves beside it. \`node dist/server.js\` runs it with production dependencies only.
The typed client is in dist/client, with its declarations and as a package by itself: \`npm pack ./dist/client\`.

  npm run build

  --help   this text
`

const require = createRequire(import.meta.url)
const home = fileURLToPath(new URL('..', import.meta.url))
const dist = join(home, 'dist')

/** What the compiler does not carry over: from → to. */
const copies: [from: string, to: string][] = [
  [join(home, 'spec/generated/openapi.json'), 'spec/generated/openapi.json'],
  [join(home, 'plugins/database/functions'), 'plugins/database/functions'],
  [require.resolve('redoc/bundles/redoc.standalone.js'), 'modules/documents/redoc.standalone.js'],
  [
    require.resolve('redoc/bundles/redoc.standalone.js.LICENSE.txt'),
    'modules/documents/redoc.standalone.js.LICENSE.txt'
  ]
]

/** The compiler renames what is imported, except in places that it does not look into; such a file would be found missing only when it is wanted. */
const refuseSourceImports = (): void => {
  const compiled = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.js'))
  const wrong = compiled.filter((path) =>
    /\bimport\(\s*['"]\.[^'"]*\.ts['"]/.test(readFileSync(join(dist, path), 'utf8'))
  )
  if (wrong.length > 0)
    throw new Error(`${wrong.join(', ')}: an import() still names a .ts file; put it into a function of its own.`)
}

const build = (): void => {
  rmSync(dist, { recursive: true, force: true })
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', join(home, 'tsconfig.build.json')], {
    stdio: 'inherit'
  })
  for (const [from, to] of copies) {
    const target = join(dist, to)
    mkdirSync(dirname(target), { recursive: true })
    cpSync(from, target, { recursive: true })
  }
  buildClient(join(dist, 'client'))
  refuseSourceImports()
  process.stdout.write('dist/ is ready: node dist/server.js\n')
}

const { values } = parseArgs({ options: { help: { type: 'boolean', default: false } } })
if (values.help) process.stdout.write(help)
else build()
