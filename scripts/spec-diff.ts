import { copyFileSync, existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runCommand } from './command.ts'
import type { DocumentContent } from './generate/model.ts'
import { compareSpecifications, mayBreak } from './spec-diff/compare.ts'

const help = `Compares the specification with the last released one and tells breaking changes from compatible ones. It fails when a change is
breaking and the version does not say so: a new major number or, before 1.0.0, a new minor one.

  npm run spec:diff [-- --from FILE] [--to FILE]
  npm run spec:release

  --from FILE   the earlier document (default: the highest version in spec/released)
  --to FILE     the later document (default: spec/generated/openapi.json)
  --release     keeps the later document as released, under its version; what is released already is left alone
  --help        this text
`

const home = fileURLToPath(new URL('..', import.meta.url))
const released = join(home, 'spec/released')

const lastReleased = (): string => {
  const files = readdirSync(released).sort((one, other) => one.localeCompare(other, 'en', { numeric: true }))
  const last = files.at(-1)
  if (last === undefined) throw new Error('Nothing is released yet: spec/released is empty.')
  return join(released, last)
}

const read = (file: string): DocumentContent => JSON.parse(readFileSync(file, 'utf8')) as DocumentContent
const versionOf = ({ info }: DocumentContent): string => String(info?.version)

const compare = (from: string, to: string): boolean => {
  const [before, after] = [read(from), read(to)]
  const changes = compareSpecifications(before, after)
  const ordered = [...changes.filter(({ breaking }) => breaking), ...changes.filter(({ breaking }) => !breaking)]
  for (const { breaking, place, what } of ordered)
    process.stdout.write(`${breaking ? 'BREAKING  ' : 'compatible'}  ${place}: ${what}\n`)
  const breaking = changes.filter((change) => change.breaking).length
  process.stdout.write(
    `${versionOf(before)} → ${versionOf(after)}: ${breaking} breaking and ${changes.length - breaking} compatible changes\n`
  )
  return breaking === 0 || mayBreak(versionOf(before), versionOf(after))
}

const release = (from: string): void => {
  const version = versionOf(read(from))
  const target = join(released, `${version}.json`)
  if (existsSync(target))
    throw new Error(`${version} is released already. Give package.json the next version and generate.`)
  copyFileSync(from, target)
  process.stdout.write(`spec/released/${version}.json is kept.\n`)
}

const main = (): void => {
  const { values } = parseArgs({
    options: {
      from: { type: 'string' },
      to: { type: 'string' },
      release: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  const to = values.to ?? join(home, 'spec/generated/openapi.json')
  if (values.help) process.stdout.write(help)
  else if (values.release) release(to)
  else if (!compare(values.from ?? lastReleased(), to))
    throw new Error('Breaking changes need a version that says so. Take them back, or raise it in package.json.')
}

runCommand(main)
