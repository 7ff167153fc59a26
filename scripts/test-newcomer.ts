import { execFileSync } from 'node:child_process'
import { runToEnd } from '../test/machines/cleanup.ts'
import { root } from '../test/machines/scripts.ts'
import { prepareVisit } from '../test/newcomer/visit.ts'
import { printableLines, runWithArguments } from './command.ts'
import { announce } from './progress.ts'

const help = `Clones the last commit into a temporary folder and follows README.md there as a newcomer: installs, starts, runs the first calls block by block
as they stand, and stops. Verifies that a bank is linked, money moves and webhooks arrive, that no program prints a warning, and that nothing is left.

  npm run test:newcomer

  --help   this text

Takes one to two minutes on two cores, and requires git, curl and the npm registry.
`

const hasChanges = (): boolean => execFileSync('git', ['status', '--porcelain'], { cwd: root }).length > 0

runWithArguments({ help, options: {} }, async () => {
  if (hasChanges()) console.log('Uncommitted changes are not part of the clone.')
  return await runToEnd(async (t) => {
    const visit = await prepareVisit(t)
    t.teardown(() => announce('Removing the clone'))
    const { steps } = visit
    for (const [index, [guarantee, run]] of steps.entries()) {
      console.log(`…       ${guarantee}`)
      const begun = performance.now()
      const duration = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`
      try {
        await run()
      } catch (error) {
        console.log(`FAILED  ${guarantee} (${duration()})\n\n${printableLines(visit.output())}\n`)
        console.error(error)
        console.log(`\n${index} passed, ${steps.length - index} failed`)
        return 1
      }
      console.log(`ok      ${guarantee} (${duration()})`)
    }
    console.log(`\n${steps.length} passed, 0 failed`)
    return 0
  })
})
