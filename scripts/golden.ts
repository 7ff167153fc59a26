import { writeFileSync } from 'node:fs'
import { openTestDatabase } from '../test/build-app.ts'
import { runToEnd } from '../test/machines/cleanup.ts'
import { printOperations, printSchema, printTools, printUnauthenticated } from '../test/golden/print.ts'
import { runWithArguments } from './command.ts'

const help = `Updates the golden files in test/golden: the operations, those without authentication, the tools, and the database schema.
Review the changes before you commit them.

  npm run golden

  --help   show this text
`

const write = (name: string, text: string): void => {
  writeFileSync(new URL(`../test/golden/${name}`, import.meta.url), text)
}

runWithArguments({ help, options: {} }, async () => {
  await runToEnd(async (t) => write('schema.sql', await printSchema((await openTestDatabase(t)).db)))
  write('operations.txt', printOperations())
  write('unauthenticated.txt', printUnauthenticated())
  write('tools.txt', printTools())
})
