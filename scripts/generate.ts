import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runWithArguments } from './command.ts'
import { bundle } from './generate/bundle.ts'
import { printFiles } from './generate/files.ts'
import { SpecError } from './generate/model.ts'
import { readSpec } from './generate/read.ts'
import { withSettings } from './generate/settings.ts'
import { announce } from './progress.ts'

const help = `Generates the OpenAPI bundle, TypeBox schemas, operation tables and the client from the hand-written documents.
Without --spec and --out it also updates the settings table of README.md.

  npm run generate [-- --spec DIR] [--out DIR]

  --spec DIR   documents: openapi.yaml, one <group>.yaml per group, shared/*.yaml (default: spec)
  --out DIR    output folder, cleared first (default: spec/generated)
  --help       show this text
`
const home = dirname(dirname(fileURLToPath(import.meta.url)))

/** Files that were not generated must survive the clearing of the output folder. */
const rejectForeignFiles = (out: string): void => {
  const foreign = existsSync(out) ? readdirSync(out).filter((name) => !/^(openapi\.json|[\w-]+\.ts)$/.test(name)) : []
  if (foreign.length > 0)
    throw new SpecError([
      `${out} has files that this command did not write: ${foreign.join(', ')}. Pass another folder with --out.`
    ])
}

const generate = async (spec: string, out: string): Promise<string> => {
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string }
  const bundled = bundle(readSpec(spec), version)
  const pathTo = (...folder: string[]) =>
    relative(out, join(home, ...folder))
      .split(sep)
      .join('/')
  const files = await printFiles(bundled, pathTo('plugins', 'operations'), pathTo('client'))
  // Cleared only now, so that an invalid document leaves the last valid output in place.
  rejectForeignFiles(out)
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  for (const [name, text] of files) writeFileSync(join(out, name), text)
  return `${bundled.groupOf.size} operations in ${bundled.groups.length} groups`
}

const updateReadme = async (): Promise<void> => {
  const readme = join(home, 'README.md')
  writeFileSync(readme, await withSettings(readFileSync(readme, 'utf8'), readme))
}

const options = { spec: { type: 'string' }, out: { type: 'string' } } as const

runWithArguments({ help, options }, async (values) => {
  const spec = resolve(values.spec ?? join(home, 'spec'))
  const out = resolve(values.out ?? join(spec, 'generated'))
  try {
    announce('Generating schemas, operation tables and the client')
    const summary = await generate(spec, out)
    if (values.spec === undefined && values.out === undefined) await updateReadme()
    process.stdout.write(`Generated ${summary}: ${relative(process.cwd(), out) || '.'} is current.\n`)
    return 0
  } catch (error) {
    if (!(error instanceof SpecError)) throw error
    const list = error.problems.map((problem) => `- ${problem}\n`).join('')
    process.stderr.write(`The specification has ${error.problems.length} error(s):\n${list}`)
    return 1
  }
})
