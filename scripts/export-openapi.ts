import { writeFileSync } from 'node:fs'
import { printSpecification } from '../modules/documents/specification.ts'
import { runWithArguments } from './command.ts'

const help = `Writes the specification to a file or to standard output, byte for byte as the server's /openapi.json and /openapi.yaml.
Requires no database and no settings.

  npm run export:openapi -- --out openapi.json [--format yaml]

  --out FILE           output file (default: standard output)
  --format json|yaml   format (default: json)
  --help               show this text
`

const isFormat = (value: string): value is keyof typeof printSpecification => Object.hasOwn(printSpecification, value)

const options = { out: { type: 'string' }, format: { type: 'string', default: 'json' } } as const

runWithArguments({ help, options }, async ({ out, format }) => {
  if (!isFormat(format)) throw new Error(`--format must be json or yaml, not ${format}.`)
  const text = printSpecification[format]()
  if (out === undefined) process.stdout.write(text)
  else {
    writeFileSync(out, text)
    process.stdout.write(`Wrote the specification to ${out}.\n`)
  }
})
