import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runWithArguments } from './command.ts'
import { faultOfPattern, patternsIn } from './lint/patterns.ts'

const help = `Checks every \`pattern\` of the specification: it takes linear time on hostile texts, and clients in Go (RE2) can compile it.

  npm run lint:patterns
  --help   this text
`

const specification = fileURLToPath(new URL('../spec/generated/openapi.json', import.meta.url))

runWithArguments({ help, options: {} }, () => {
  const places = new Map(patternsIn(JSON.parse(readFileSync(specification, 'utf8')), ''))
  const faults = [...places].flatMap(([pattern, at]) => {
    const fault = faultOfPattern(pattern)
    return fault === undefined ? [] : [`${at}: ${pattern} ${fault}`]
  })
  if (faults.length > 0) throw new Error(faults.join('\n'))
  process.stdout.write(`${places.size} patterns are linear and compile in RE2.\n`)
})
