import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { Client } from 'undici'
import { findMiscounted } from '../../modules/bureau/queries.ts'
import { verifyLedger } from '../../plugins/ledger/verify.ts'
import type { Operation } from '../../plugins/operations/table.ts'
import { operations } from '../architecture/document.ts'
import { startApp, type Cleaner, type TestApp } from '../build-app.ts'
import { send } from '../credentials.ts'
import { faultsOf, type FuzzAnswer } from './judge.ts'
import { invalidRequests, validRequests, type FuzzRequest } from './requests.ts'
import { admittedKinds, createTenant, type Tenant } from './tenants.ts'

export interface FuzzOptions {
  seed: number
  valid: number
  invalid: number
  /** Only these operations; all when empty. */
  only: readonly string[]
  print: (line: string) => void
}

export interface Finding {
  operationId: string
  fault: string
  request: FuzzRequest
  credential: string
}

export interface FuzzResult {
  requests: number
  operations: number
  findings: Finding[]
  /** What does not hold in the database or the log afterwards. */
  broken: string[]
}

/** Requests drawn at a time; the next ones know the things that these made. */
const batchSize = 10

/** What would take from the tenant the credential that all the other requests come with. */
const endsCredentials = new Set(['logoutSession', 'revokeSession', 'changePassword'])

const seedFor = (seed: number, ...parts: (string | number)[]): number => createHash('sha256').update([seed, ...parts].join(' ')).digest().readInt32BE()

const ask = async (client: Client, request: FuzzRequest, credential: Record<string, string>): Promise<FuzzAnswer> => {
  const { statusCode, headers, body } = await client.request({
    method: request.method,
    path: request.path,
    headers: { ...request.headers, ...credential },
    ...(request.body === undefined ? {} : { body: request.body })
  })
  return { status: statusCode, headers, text: await body.text() }
}

const harvest = (pool: Tenant['pool'], { status, text }: FuzzAnswer): void => {
  if (status >= 300 || !/^[{[]/.test(text) || text.length > 1_000_000) return
  pool.harvest(JSON.parse(text))
}

/** Fuzzes one running server: tenant A fills it with marked texts, tenant B asks everything. */
class Fuzzer {
  readonly findings: Finding[] = []
  requests = 0
  readonly client: Client
  constructor(
    private readonly options: FuzzOptions,
    private readonly server: TestApp,
    private readonly a: Tenant,
    private readonly b: Tenant,
    private readonly secrets: ReadonlySet<string>
  ) {
    this.client = new Client(server.url)
  }

  /** Gives a tenant an item with accounts, and one thing or more of every kind that can be made. */
  async fill(tenant: Tenant, marked: boolean): Promise<void> {
    const key = tenant.partner.testKey
    const { body } = await send(this.server.url, 'POST', '/v1/sandbox/public_token', { key, body: { institution_id: 'ins_109508' } })
    const linked = await send(this.server.url, 'POST', '/v1/accounts/link', {
      key,
      body: { public_token: body.public_token, user_id: marked ? 'zq9canary-user' : 'usr_1', institution: { institution_id: 'ins_109508', name: 'First Platypus Bank' } }
    })
    tenant.pool.harvest(linked.body)
    const makers = operations.filter(({ method, operationId }) => (method === 'POST' || method === 'PUT' || method === 'PATCH' || method === 'GET') && !endsCredentials.has(operationId))
    for (const operation of makers) {
      const [kind = 'nobody'] = admittedKinds(operation)
      if (kind === 'operator') continue
      const drawn = fc.sample(validRequests(operation, { pool: tenant.pool, marked }), { numRuns: 1, seed: seedFor(this.options.seed, operation.operationId, 'fill') })
      for (const request of drawn) harvest(tenant.pool, await ask(this.client, request, tenant.credentials[kind] ?? {}))
    }
  }

  /** Asks one operation as often as the options say. */
  async visit(operation: Operation): Promise<Map<number, number>> {
    const seen = new Map<number, number>()
    const { seed, valid, invalid } = this.options
    for (const [kind, count] of [['valid', valid], ['invalid', invalid]] as const) {
      for (let from = 0; from < count; from += batchSize) {
        // Every third batch of the valid ones names the other tenant's things.
        const pool = kind === 'valid' && from % (3 * batchSize) === 2 * batchSize ? this.a.pool : this.b.pool
        const requests = kind === 'valid' ? validRequests(operation, { pool, marked: false }) : invalidRequests(operation, { pool, marked: false })
        const drawn = fc.sample(fc.tuple(requests, fc.nat()), { numRuns: Math.min(batchSize, count - from), seed: seedFor(seed, operation.operationId, kind, from) })
        for (const [request, die] of drawn) {
          const status = await this.try(operation, request, die)
          seen.set(status, (seen.get(status) ?? 0) + 1)
        }
      }
    }
    return seen
  }

  private async try(operation: Operation, request: FuzzRequest, die: number): Promise<number> {
    const admitted = admittedKinds(operation)
    const all = Object.keys(this.b.credentials)
    const kinds = die % 4 === 0 ? all : admitted
    let credential = kinds[Math.floor(die / 4) % kinds.length] ?? 'nobody'
    if (endsCredentials.has(operation.operationId) && credential === 'session') credential = 'forgedSession'
    this.requests += 1
    try {
      const answer = await ask(this.client, request, this.b.credentials[credential] ?? {})
      const foreign = credential !== 'operator' && credential !== 'ingest'
      for (const fault of faultsOf(operation, request, answer, admitted.includes(credential), this.secrets, foreign)) this.findings.push({ operationId: operation.operationId, fault, request, credential })
      if (admitted.includes(credential)) harvest(this.b.pool, answer)
      return answer.status
    } catch (error) {
      this.findings.push({ operationId: operation.operationId, fault: `no answer: ${String(error)}`, request, credential })
      return 0
    }
  }
}

const brokenAfter = async ({ database: { db } }: TestApp, log: readonly string[], secrets: ReadonlySet<string>): Promise<string[]> => {
  const { faults } = await verifyLedger(db)
  const preparing = await db.selectFrom('transfers').select('id').where('state', '=', 'preparing').execute()
  return [
    ...faults.map(({ invariant, where }) => `ledger: ${invariant}: ${where}`),
    ...(await findMiscounted(db)).map((agent) => `bureau: the counters of ${agent} are not a recount's`),
    ...preparing.map(({ id }) => `transfers: ${id} is half done`),
    ...log.filter((line) => [...secrets].some((secret) => line.includes(secret))).map((line) => `log: a secret in ${line.slice(0, 200)}`)
  ]
}

/** Starts a server, fuzzes it, and verifies afterwards that everything holds. */
export const fuzz = async (t: Cleaner, options: FuzzOptions): Promise<FuzzResult> => {
  const log: string[] = []
  const server = await startApp(t, { env: { LOG_LEVEL: 'info' }, historyDays: 30, logStream: { write: (line) => void log.push(line) } })
  const [a, b] = [await createTenant(server), await createTenant(server)]
  const all = Object.entries(a.credentials).filter(([kind]) => kind !== 'ingest' && kind !== 'garbage' && kind !== 'unknownKey' && kind !== 'overlong')
  const secrets = new Set([server.config.jwtSecret.toString('utf8'), server.config.ingestSecret ?? '', ...all.map(([, { authorization = '' }]) => authorization.slice(7))].filter((secret) => secret.length > 15))
  const fuzzer = new Fuzzer(options, server, a, b, secrets)
  t.after(() => fuzzer.client.close())
  await fuzzer.fill(a, true)
  await fuzzer.fill(b, false)
  const chosen = operations.filter(({ operationId }) => options.only.length === 0 || options.only.includes(operationId))
  for (const operation of chosen) {
    const before = fuzzer.findings.length
    const seen = await fuzzer.visit(operation)
    const statuses = [...seen].sort(([one], [other]) => one - other).map(([status, count]) => `${status}×${count}`)
    options.print(`${operation.operationId.padEnd(32)} ${statuses.join(' ')}${fuzzer.findings.length > before ? `  ${fuzzer.findings.length - before} FAULTS` : ''}`)
  }
  return { requests: fuzzer.requests, operations: chosen.length, findings: fuzzer.findings, broken: await brokenAfter(server, log, secrets) }
}
