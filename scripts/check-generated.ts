import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

// What is generated is committed, so that a change of the specification shows in review what it does; it must be what the command writes.
const home = fileURLToPath(new URL('..', import.meta.url))
const changed = execFileSync('git', ['status', '--porcelain', 'spec/generated'], { cwd: home, encoding: 'utf8' })
if (changed !== '') {
  process.stderr.write(
    `What is generated differs from what is committed. Run \`npm run generate\` and commit spec/generated:\n${changed}`
  )
  process.exitCode = 1
}
