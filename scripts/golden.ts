import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { openTestDatabase } from '../test/build-app.ts'
import { runToEnd } from '../test/machines/cleanup.ts'
import { printOperations, printSchema, printTools, printUnauthenticated } from '../test/golden/print.ts'
import { runWithArguments } from './command.ts'
import { announce } from './progress.ts'

const help = `Updates the golden files in test/golden: the operations, those without authentication, the tools, and the database schema.
Review the changes before you commit them.

  npm run golden

  --help   show this text
`

const changed: string[] = []

const write = (name: string, text: string): void => {
  const url = new URL(`../test/golden/${name}`, import.meta.url)
  if (existsSync(url) && readFileSync(url, 'utf8') === text) return
  writeFileSync(url, text)
  changed.push(`test/golden/${name}`)
}

runWithArguments({ help, options: {} }, async () => {
  announce('Creating a database and printing the golden files')
  await runToEnd(async (t) => write('schema.sql', await printSchema((await openTestDatabase(t)).db)))
  write('operations.txt', printOperations())
  write('unauthenticated.txt', printUnauthenticated())
  write('tools.txt', printTools())
  console.log(changed.length === 0 ? 'The golden files are current.' : `Updated ${changed.join(', ')}.`)
})
