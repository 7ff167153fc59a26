/* Runs one attack in its own process, so that it does not slow down the measured client. Ends on SIGTERM. */
import { setPriority } from 'node:os'
import { attacks, type Target } from './attacks.ts'

const [name, target] = process.argv.slice(2)
const attack = attacks.find((one) => one.name === name)
if (attack === undefined || target === undefined) throw new Error(`Unknown attack: ${name}.`)
// A real attacker does not use the server's processors.
setPriority(10)
const ending = new AbortController()
process.once('SIGTERM', () => ending.abort())
attack.run(JSON.parse(target) as Target, ending.signal).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  }
)
