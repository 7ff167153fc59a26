import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from './command.ts'
import { withSettings } from './generate/settings.ts'

// Generated files are committed, so that review shows what a change of the specification or of a setting does.
const home = fileURLToPath(new URL('..', import.meta.url))
const git = (...command: string[]): string => execFileSync('git', command, { cwd: home, encoding: 'utf8' })

const main = async (): Promise<number> => {
  const changed = git('status', '--porcelain', 'spec/generated')
  if (changed !== '')
    process.stderr.write(
      `Generated files differ from the committed ones. Run \`npm run generate\` and commit spec/generated:\n${changed}`
    )
  const readme = git('show', 'HEAD:README.md')
  const outdated = (await withSettings(readme, join(home, 'README.md'))) !== readme
  if (outdated)
    process.stderr.write(
      'The table of settings in the committed README.md is out of date. Run `npm run generate` and commit README.md.\n'
    )
  if (changed === '' && !outdated) process.stdout.write('The committed generated files are current.\n')
  return changed !== '' || outdated ? 1 : 0
}

runCommand(main)
