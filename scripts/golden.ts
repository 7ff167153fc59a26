import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { openTestDatabase } from '../test/build-app.ts'
import { printOperations, printSchema, printTools, printUnauthenticated } from '../test/golden/print.ts'
import { runCommand } from './command.ts'

const help = `Updates the golden files in test/golden: the operations, those without authentication, the tools, and the database schema.
Review the changes before you commit them.

  npm run golden

  --help   show this text
`

const write = (name: string, text: string): void => {
  writeFileSync(new URL(`../test/golden/${name}`, import.meta.url), text)
}

const main = async (): Promise<void> => {
  const { values } = parseArgs({ options: { help: { type: 'boolean', default: false } } })
  if (values.help) {
    process.stdout.write(help)
    return
  }
  const cleanups: (() => Promise<void> | void)[] = []
  try {
    const { db } = await openTestDatabase({ teardown: (work) => void cleanups.push(work) })
    write('schema.sql', await printSchema(db))
  } finally {
    for (const work of cleanups) await work()
  }
  write('operations.txt', printOperations())
  write('unauthenticated.txt', printUnauthenticated())
  write('tools.txt', printTools())
}

runCommand(main)
