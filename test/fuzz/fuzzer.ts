import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import { Pool as Connections } from 'undici'
import { findMiscounted } from '../../modules/bureau/queries/recount.ts'
import { verifyLedger } from '../../plugins/ledger/verify.ts'
import type { Operation } from '../../plugins/operations/table.ts'
import { operations } from '../architecture/document.ts'
import { startApp, type Cleaner, type TestApp } from '../build-app.ts'
import { readsOfCanary, missingCanaries, writeCanary } from './canary.ts'
import { faultsOf, type FuzzResponse } from './judge.ts'
import { Pool } from './pool.ts'
import { invalidRequests, validRequests, type FuzzRequest } from './requests.ts'
import { Tally } from './shares.ts'
import { Stock } from './stock.ts'
import { canary } from './strange-text.ts'
import { admittedKinds, createTenant, type Tenant } from './tenants.ts'

export interface FuzzOptions {
  seed: number
  valid: number
  invalid: number
  /** Only these operations; all when empty. */
  only: readonly string[]
  print: (line: string) => void
  /** Receives the faults of each operation once its requests are done. */
  onFindings?: (findings: readonly Finding[]) => void
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
  /** Number of responses by status. */
  statuses: Map<number, number>
  findings: Finding[]
  /** Operations with too few successful requests, so that little code behind their validation was reached. */
  shallow: string[]
  /** Broken invariants in the database or the log afterwards. */
  broken: string[]
}

/** Requests that are generated and sent concurrently. Later batches use the resources that they create. */
const batchSize = 10

/** Attempts to create a resource with canary text; some attempts break a rule that a schema cannot express. */
const mostMarkedTries = 2

const seedFor = (seed: number, ...parts: (string | number)[]): number =>
  createHash('sha256')
    .update([seed, ...parts].join(' '))
    .digest()
    .readInt32BE()

const collectIds = (pool: Pool, { status, text }: FuzzResponse): void => {
  if (status >= 300 || !/^[{[]/.test(text) || text.length > 1_000_000) return
  pool.collectIds(JSON.parse(text))
}

/** The source of an operation's identifiers. An operation that ends resources gets only those created for it. */
const sourceOf = (operation: Operation, { pool, stock, email }: Tenant, marked = false) => ({
  pool: Stock.usedUp(operation).length > 0 ? new Pool() : pool,
  stock,
  email,
  marked
})

/** A path with its first identifier replaced; undefined when it has none. */
const otherResource = ({ path }: FuzzRequest, operation: Operation): string | undefined => {
  const segment = operation.path.split('/').findIndex((part) => part.startsWith('{'))
  if (segment < 0) return undefined
  const [target = '', query] = path.split('?', 2)
  const parts = target.split('/')
  parts[segment] = `${parts[segment]?.slice(0, -1)}${parts[segment]?.endsWith('a') ? 'b' : 'a'}`
  return parts.join('/') + (query === undefined ? '' : `?${query}`)
}

interface Try {
  request: FuzzRequest
  credential: string
  response?: FuzzResponse
  error?: unknown
}

/** Fuzzes one running server: tenant A fills it with canary text, tenant B calls every operation. */
class Fuzzer {
  readonly findings: Finding[] = []
  requests = 0
  readonly connections: Connections
  constructor(
    private readonly options: FuzzOptions,
    private readonly server: TestApp,
    private readonly a: Tenant,
    private readonly b: Tenant,
    private readonly secrets: ReadonlySet<string>
  ) {
    this.connections = new Connections(server.url, { connections: batchSize })
  }

  private async send(request: FuzzRequest, credential: Record<string, string>): Promise<FuzzResponse> {
    const { statusCode, headers, body } = await this.connections.request({
      method: request.method,
      path: request.path,
      headers: { ...request.headers, ...credential },
      ...(request.body === undefined ? {} : { body: request.body })
    })
    return { status: statusCode, headers, text: await body.text() }
  }

  /** Begins a request and resets its connection, each time at a different stage of the server's work. */
  private async cut(request: FuzzRequest, credential: Record<string, string>, die: number): Promise<void> {
    const { hostname, port } = new URL(this.server.url)
    const body = Buffer.from(request.body ?? '')
    const headers = Object.entries({ host: 'here', ...request.headers, ...credential, 'content-length': body.length })
    const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    const whole = Buffer.concat([
      Buffer.from(`${request.method} ${request.path} HTTP/1.1\r\n${head}\r\n`, 'latin1'),
      body
    ])
    const socket = connect(Number(port), hostname)
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(die % 2 === 0 ? whole : whole.subarray(0, die % whole.length))
    await new Promise((done) => setTimeout(done, die % 20))
    socket.resetAndDestroy()
  }

  /** Checks that an idempotency key used for one resource is rejected for another. */
  private async checkKey(
    operation: Operation,
    request: FuzzRequest,
    credential: Record<string, string>
  ): Promise<string | undefined> {
    const path = otherResource(request, operation)
    if (path === undefined) return undefined
    const { status, text } = await this.send({ ...request, path }, credential)
    if ([400, 401, 403, 413, 415, 429].includes(status) || (status === 422 && text.includes('idempotency_conflict')))
      return undefined
    return `a used idempotency key is accepted for another resource: ${status} at ${path}`
  }

  /** Creates a resource of every kind for a tenant, with canary text where `marked`. */
  async fill(tenant: Tenant, marked: boolean): Promise<void> {
    for (const operation of operations.filter(
      ({ method, operationId }) =>
        (method === 'POST' || method === 'PUT' || method === 'PATCH') && operationId !== 'changePassword'
    )) {
      const [kind = 'anonymous'] = admittedKinds(operation)
      if (kind === 'operator') continue
      await tenant.stock.renew(operation, 1)
      const drawn = fc.sample(validRequests(operation, sourceOf(operation, tenant, marked)), {
        numRuns: marked ? mostMarkedTries : 1,
        seed: seedFor(this.options.seed, operation.operationId, 'fill')
      })
      for (const request of drawn) {
        collectIds(tenant.pool, await this.send(request, await tenant.present(operation, kind)))
      }
    }
    tenant.stock.reset()
  }

  /** The operations that show tenant A its own canary, and so could also show it to others by mistake. */
  async readBack(): Promise<string[]> {
    return await readsOfCanary(this.a, (request, credential) => this.send(request, credential))
  }

  /** Sends the requests of one operation, as many as the options say. */
  async visit(operation: Operation): Promise<Tally> {
    const tally = new Tally()
    const { seed, valid, invalid } = this.options
    for (const [kind, count] of [
      ['valid', valid],
      ['invalid', invalid]
    ] as const) {
      for (let from = 0; from < count; from += batchSize) {
        // Every third batch of valid requests uses identifiers of the other tenant.
        const owner = kind === 'valid' && from % (3 * batchSize) === 2 * batchSize ? this.a : this.b
        // Invalid requests use up few resources, so theirs are renewed only occasionally.
        const numRuns = Math.min(batchSize, count - from)
        if (kind === 'valid' || from % (10 * batchSize) === 0) await owner.stock.renew(operation, numRuns)
        const requests = (kind === 'valid' ? validRequests : invalidRequests)(operation, sourceOf(operation, owner))
        const drawn = fc.sample(fc.tuple(requests, fc.nat()), {
          numRuns,
          seed: seedFor(seed, operation.operationId, kind, from)
        })
        const tries = await Promise.all(drawn.map(([request, die]) => this.try(operation, request, die)))
        // In the order of generation, whichever response came first.
        for (const one of tries)
          tally.add(
            this.judge(operation, one),
            kind === 'valid' && owner === this.b && admittedKinds(operation).includes(one.credential)
          )
      }
    }
    this.a.stock.reset()
    this.b.stock.reset()
    return tally
  }

  private async try(operation: Operation, request: FuzzRequest, die: number): Promise<Try> {
    const kinds = die % 4 === 0 ? Object.keys(this.b.credentials) : admittedKinds(operation)
    const credential = kinds[Math.floor(die / 4) % kinds.length] ?? 'anonymous'
    const isKeyed = operation.idempotent && request.kind === 'valid' && die % 3 === 0
    if (isKeyed) request.headers['idempotency-key'] = randomUUID()
    this.requests += 1
    try {
      const presented = await this.b.present(operation, credential)
      if (die % 16 === 5) await this.cut(request, presented, die)
      const response = await this.send(request, presented)
      const fault = isKeyed && response.status < 300 ? await this.checkKey(operation, request, presented) : undefined
      if (fault !== undefined) this.findings.push({ operationId: operation.operationId, fault, request, credential })
      return { request, credential, response }
    } catch (error) {
      return { request, credential, error }
    }
  }

  /** Records the faults of a response, and collects its identifiers. */
  private judge(operation: Operation, { request, credential, response, error }: Try): number {
    const { operationId } = operation
    if (response === undefined) {
      this.findings.push({ operationId, fault: `no response: ${String(error)}`, request, credential })
      return 0
    }
    const isAdmitted = admittedKinds(operation).includes(credential)
    // An operator may read everything, and the public data of an agent is no secret.
    const foreign =
      credential !== 'operator' && credential !== 'ingest' && !admittedKinds(operation).includes('anonymous')
    for (const fault of faultsOf(operation, request, response, isAdmitted, this.secrets, foreign))
      this.findings.push({ operationId, fault, request, credential })
    if (isAdmitted) collectIds(this.b.pool, response)
    return response.status
  }
}

/** How many requests the server counts as in progress after all have ended. */
const countInFlight = async ({ app }: TestApp): Promise<number> => {
  const read = async (): Promise<number> => {
    const text = await (await fetch(app.metrics.url() ?? '')).text()
    return Number(/^atlas_http_requests_in_flight (\d+)/m.exec(text)?.[1])
  }
  for (let time = 0; time < 100 && (await read()) > 0; time++) await new Promise((done) => setTimeout(done, 50))
  return await read()
}

const brokenAfter = async (
  server: TestApp,
  log: readonly string[],
  secrets: ReadonlySet<string>
): Promise<string[]> => {
  const { db } = server.database
  const { faults } = await verifyLedger(db)
  const inFlight = await countInFlight(server)
  const preparing = await db.selectFrom('transfers').select('id').where('state', '=', 'preparing').execute()
  return [
    ...faults.map(({ invariant, where }) => `ledger: ${invariant}: ${where}`),
    ...(await findMiscounted(db)).map((agent) => `bureau: the counters of ${agent} differ from a recount`),
    ...preparing.map(({ id }) => `transfers: ${id} is incomplete`),
    ...(inFlight === 0 ? [] : [`overload: ${inFlight} requests are counted as in progress, although all have ended`]),
    ...log
      .filter((line) => [...secrets].some((secret) => line.includes(secret)))
      .map((line) => `log: it contains a secret: ${line.slice(0, 200)}`)
  ]
}

/** Credentials that are publicly known. */
const publicKinds = new Set(['ingest', 'garbage', 'unknownKey', 'overlong'])

/** Starts a server, fuzzes it, and then verifies every invariant. */
export const fuzz = async (t: Cleaner, options: FuzzOptions): Promise<FuzzResult> => {
  const log: string[] = []
  const server = await startApp(t, {
    env: { LOG_LEVEL: 'info', ATLAS_TRUST_PROXY: 'true', ATLAS_METRICS_ENABLED: 'true', ATLAS_METRICS_PORT: '0' },
    historyDays: 30,
    logStream: { write: (line) => void log.push(line) }
  })
  const [a, b] = [await createTenant(server, `${canary}-user`), await createTenant(server, 'usr_1')]
  const bearers = Object.entries(a.credentials)
    .filter(([kind]) => !publicKinds.has(kind))
    .map(([, { authorization = '' }]) => authorization.slice(7))
  const secrets = new Set(
    [server.config.jwtSecret.toString('utf8'), server.config.ingestSecret ?? '', ...bearers].filter(
      (secret) => secret.length > 15
    )
  )
  const fuzzer = new Fuzzer(options, server, a, b, secrets)
  t.teardown(() => fuzzer.connections.close())
  await fuzzer.fill(a, true)
  await writeCanary(a)
  await fuzzer.fill(b, false)
  const unmarked = await missingCanaries(server.database.db, await fuzzer.readBack(), options.print)
  const chosen = operations.filter(({ operationId }) => options.only.length === 0 || options.only.includes(operationId))
  const total = new Tally()
  const shallow: string[] = []
  for (const operation of chosen) {
    const before = fuzzer.findings.length
    const tally = await fuzzer.visit(operation)
    total.include(tally)
    const shortfall = tally.shortfallOf(operation.operationId)
    if (shortfall !== undefined) shallow.push(shortfall)
    options.print(
      `${operation.operationId.padEnd(32)} ${tally.toString()}${fuzzer.findings.length > before ? `  ${fuzzer.findings.length - before} FAULTS` : ''}`
    )
    options.onFindings?.(fuzzer.findings.slice(before))
  }
  const broken = [...unmarked, ...(await brokenAfter(server, log, secrets))]
  return {
    requests: fuzzer.requests,
    operations: chosen.length,
    statuses: total.statuses,
    findings: fuzzer.findings,
    shallow,
    broken
  }
}
