import { parseArgs } from 'node:util'
import { loadConfig } from '../plugins/config/index.ts'
import { openDatabase } from '../plugins/database/index.ts'
import { verifyLedger } from '../plugins/ledger/verify.ts'
import { runCommand } from './command.ts'

const help = `Usage: npm run ledger:verify

Recomputes the ledger of credits from its entries. Checks that every transaction sums to zero, that every balance is the
sum of its entries, that no wallet is or was below zero, and that the triggers of the tables are enabled. Reads the
database in DATABASE_URL, else the embedded one in ATLAS_DATA_DIR (stop the server first).

Exit codes: 0 when the ledger is correct, 1 when it is not (prints each fault), 2 when it could not be read.`

const main = async (): Promise<number> => {
  const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } })
  if (values.help === true) {
    console.log(help)
    return 0
  }
  const database = await openDatabase(loadConfig(process.env), (error) => console.error(error.message))
  try {
    if (!(await database.migrated()))
      throw new Error('The database schema is outdated. Run `npm run migrate`, or start the server once.')
    const { faults, wallets, transactions, entries } = await verifyLedger(database.db)
    for (const { invariant, where } of faults) console.error(`BROKEN: ${invariant}: ${where}`)
    console.log(
      `${wallets} wallets, ${transactions} transactions, ${entries} entries: ${faults.length === 0 ? 'the book holds.' : `${faults.length} faults.`}`
    )
    return faults.length === 0 ? 0 : 1
  } finally {
    await database.close()
  }
}

runCommand(main, 2)
