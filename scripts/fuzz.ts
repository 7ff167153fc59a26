import { randomInt } from 'node:crypto'
import { operations } from '../test/architecture/document.ts'
import { fuzz, type Finding } from '../test/fuzz/fuzzer.ts'
import { runToEnd } from '../test/machines/cleanup.ts'
import { runWithArguments } from './command.ts'

const help = `Sends unusual and invalid requests to every operation, generated from the specification, with every kind of credential. Checks each
response: no internal 5xx, nothing outside the specification, no data of other tenants, no secrets, no internal details. Prints for each
operation the share of valid requests that succeeded, and the responses by status. A share that is too low is a fault too. Afterwards
verifies the ledger, the bureau's counters and the transfers. Resets some connections in the middle, and reuses idempotency keys for other
resources, which must be rejected.

  npm run test:fuzz [-- OPTIONS]

  --seed N            seed of all requests (default: a random one, which is printed)
  --operation ID      test only this operation; repeatable
  --valid N           unusual but valid requests per operation, up to 10000 (default: 100)
  --invalid N         invalid requests per operation, up to 10000 (default: 200)
  --help              show this text

  TEST_DATABASE_URL   PostgreSQL server to use instead of the embedded database

Exit codes: 0 without faults, 1 with faults, 2 when the run failed.
`

/** The maximum number of faults to print per kind. */
const shownEach = 3

const count = (text: string, most: number): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0 || value > most)
    throw new Error(`${text} is not a whole number from 0 to ${most}.`)
  return value
}

const printFindings = (findings: readonly Finding[], seed: number): void => {
  const shown = new Map<string, number>()
  for (const { operationId, fault, request, credential } of findings) {
    const kind = `${operationId} ${fault.slice(0, 60)}`
    const times = (shown.get(kind) ?? 0) + 1
    shown.set(kind, times)
    if (times > shownEach) continue
    const { method, path, headers, body } = request
    console.log(
      `\n${operationId}: ${fault}\n  ${method} ${path.slice(0, 500)} as ${credential}\n  ${JSON.stringify(headers).slice(0, 400)}\n  ${String(body ?? '').slice(0, 700)}`
    )
    console.log(`  reproduce: npm run test:fuzz -- --seed ${seed} --operation ${operationId}`)
  }
}

const commandOptions = {
  seed: { type: 'string' },
  operation: { type: 'string', multiple: true, default: [] as string[] },
  valid: { type: 'string', default: '100' },
  invalid: { type: 'string', default: '200' }
} as const

runWithArguments({ help, options: commandOptions, failureCode: 2 }, async (values) => {
  const seed = values.seed === undefined ? randomInt(2 ** 31) : count(values.seed, 2 ** 31)
  const unknown = values.operation.find((id) => !operations.some(({ operationId }) => operationId === id))
  if (unknown !== undefined) throw new Error(`The specification has no operation ${unknown}.`)
  console.log(`seed ${seed}`)
  const started = performance.now()
  const options = {
    seed,
    valid: count(values.valid, 10_000),
    invalid: count(values.invalid, 10_000),
    only: values.operation,
    print: (line: string) => console.log(line),
    onFindings: (findings: readonly Finding[]) => printFindings(findings, seed)
  }
  const result = await runToEnd((t) => fuzz(t, options))
  for (const line of result.shallow) console.log(`SHALLOW: ${line}`)
  for (const line of result.broken) console.log(`BROKEN: ${line}`)
  const statuses = [...result.statuses]
    .sort(([one], [other]) => one - other)
    .map(([status, times]) => `${status}×${times}`)
  console.log(`\n${statuses.join(' ')}`)
  console.log(
    `${result.operations} operations, ${result.requests} requests in ${Math.round((performance.now() - started) / 1000)} s, ${result.findings.length} faults, ${result.shallow.length} shallow operations, ${result.broken.length} broken invariants; seed ${seed}`
  )
  return result.findings.length + result.shallow.length + result.broken.length === 0 ? 0 : 1
})
