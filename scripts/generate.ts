import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bundle } from './generate/bundle.ts'
import { printFiles } from './generate/files.ts'
import { SpecError } from './generate/model.ts'
import { readSpec } from './generate/read.ts'
import { withSettings } from './generate/settings.ts'

const HELP = `Turns the hand-written OpenAPI documents into the bundle, TypeBox schemas, operation tables, client types and the client's methods.
Without --spec and --out it also writes the table of settings in README.md.

  npm run generate [-- --spec DIR] [--out DIR]

  --spec DIR   the documents: openapi.yaml, one <group>.yaml each, shared/*.yaml (default: spec)
  --out DIR    where to write; the folder is cleared first (default: spec/generated)
  --help       this text
`
const home = dirname(dirname(fileURLToPath(import.meta.url)))

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      spec: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) {
    process.stdout.write(HELP)
    return
  }
  const spec = resolve(values.spec ?? join(home, 'spec'))
  const out = resolve(values.out ?? join(spec, 'generated'))
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string }
  const bundled = bundle(readSpec(spec), version)
  const pathTo = (...folder: string[]) =>
    relative(out, join(home, ...folder))
      .split(sep)
      .join('/')
  const files = await printFiles(bundled, pathTo('plugins', 'operations'), pathTo('client'))
  // Only when everything is printed, so that a faulty document leaves the last good output in place.
  refuseForeignFolder(out)
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  for (const [name, text] of files) writeFileSync(join(out, name), text)
  if (values.spec === undefined && values.out === undefined) {
    const readme = join(home, 'README.md')
    writeFileSync(readme, await withSettings(readFileSync(readme, 'utf8'), readme))
  }
  process.stdout.write(
    `${bundled.groupOf.size} operations in ${bundled.groups.length} groups → ${relative(process.cwd(), out) || '.'}\n`
  )
}

/** The folder is about to be cleared: what was not generated must not go with it. */
function refuseForeignFolder(out: string): void {
  const foreign = existsSync(out) ? readdirSync(out).filter((name) => !/^(openapi\.json|[\w-]+\.ts)$/.test(name)) : []
  if (foreign.length > 0) {
    throw new SpecError([
      `${out} holds ${foreign.join(', ')}, which this command did not write; name another folder with --out.`
    ])
  }
}

main().catch((error: unknown) => {
  if (!(error instanceof SpecError)) throw error
  process.stderr.write(
    `The specification has ${error.problems.length} fault(s):\n${error.problems.map((line) => `- ${line}`).join('\n')}\n`
  )
  process.exitCode = 1
})
