import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import fastify from 'fastify'
import { printSpecification, registerSpecification } from '../modules/documents/specification.ts'
import { runCommand } from './command.ts'

const help = `Writes the specification to a file or to standard output, byte for byte as the server's /openapi.json and /openapi.yaml.
Requires no database and no settings.

  npm run export:openapi -- --out openapi.json [--format yaml]

  --out FILE           output file (default: standard output)
  --format json|yaml   format (default: json)
  --help               show this text
`

const isFormat = (value: string): value is keyof typeof printSpecification => Object.hasOwn(printSpecification, value)

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      format: { type: 'string', default: 'json' },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) {
    process.stdout.write(help)
    return
  }
  if (!isFormat(values.format)) throw new Error(`--format must be json or yaml, not ${values.format}.`)
  const app = fastify()
  await registerSpecification(app)
  const text = printSpecification[values.format](app)
  if (values.out === undefined) process.stdout.write(text)
  else writeFileSync(values.out, text)
}

runCommand(main)
