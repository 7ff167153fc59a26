import { verifyLedger } from '../plugins/ledger/verify.ts'
import { printable, runWithArguments } from './command.ts'
import { withDatabase } from './database.ts'
import { countOf, withProgress } from './progress.ts'

const help = `Usage: npm run ledger:verify

Recomputes the ledger of credits from its entries. Checks that every transaction sums to zero, that every balance is the
sum of its entries, that no wallet is or was below zero, and that the triggers of the tables are enabled. Reads the
database in DATABASE_URL, else the embedded one in ATLAS_DATA_DIR (stop the server first).

Exit codes: 0 when the ledger is correct, 1 when it is not (prints each fault), 2 when it could not be read.`

runWithArguments({ help, options: {}, failureCode: 2 }, async () => {
  const { faults, wallets, entries } = await withProgress('Verifying the ledger', () => withDatabase(verifyLedger))
  for (const { invariant, where } of faults) console.error(printable(`BROKEN: ${invariant}: ${where}`))
  const size = `${countOf(wallets, 'wallet')}, ${countOf(entries, 'entr', 'y', 'ies')}`
  console.log(
    faults.length === 0
      ? `The ledger is correct: ${size}.`
      : `The ledger is not correct: ${countOf(faults.length, 'problem')} found in ${size}.`
  )
  return faults.length === 0 ? 0 : 1
})
