import { copyFileSync, existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runWithArguments } from './command.ts'
import type { DocumentContent } from './generate/model.ts'
import { compareSpecifications, mayBreak } from './spec-diff/compare.ts'

const help = `Compares the specification with the latest release and lists breaking and compatible changes. Fails on a breaking change unless
the version allows it: a new major version or, before 1.0.0, a new minor version.

  npm run spec:diff [-- --from FILE] [--to FILE]
  npm run spec:release

  --from FILE   earlier document (default: highest version in spec/released)
  --to FILE     later document (default: spec/generated/openapi.json)
  --release     store the later document as the release of its version; fails if it exists
  --help        show this text
`

const home = fileURLToPath(new URL('..', import.meta.url))
const released = join(home, 'spec/released')

const latestRelease = (): string => {
  const files = readdirSync(released).sort((one, other) => one.localeCompare(other, 'en', { numeric: true }))
  const last = files.at(-1)
  if (last === undefined) throw new Error('spec/released is empty. Store a release with npm run spec:release.')
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
  const isAllowed = breaking === 0 || mayBreak(versionOf(before), versionOf(after))
  process.stdout.write(
    `${versionOf(before)} → ${versionOf(after)}: ${breaking} breaking and ${changes.length - breaking} compatible changes${isAllowed ? ', which the version allows.' : '.'}\n`
  )
  return isAllowed
}

const storeRelease = (from: string): void => {
  const version = versionOf(read(from))
  const target = join(released, `${version}.json`)
  if (existsSync(target))
    throw new Error(
      `Version ${version} is already released. Raise the version in package.json and run npm run generate.`
    )
  copyFileSync(from, target)
  process.stdout.write(`Stored spec/released/${version}.json.\n`)
}

const options = {
  from: { type: 'string' },
  to: { type: 'string', default: join(home, 'spec/generated/openapi.json') },
  release: { type: 'boolean' }
} as const

runWithArguments({ help, options }, ({ from, to, release }) => {
  if (release === true) storeRelease(to)
  else if (!compare(from ?? latestRelease(), to))
    throw new Error(
      'Breaking changes require a new major version (before 1.0.0: minor). Revert them, or raise the version in package.json.'
    )
})
