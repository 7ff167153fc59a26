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
import { readsOfCanary, whatLacksCanary, writeCanary } from './canary.ts'
import { faultsOf, type FuzzAnswer } from './judge.ts'
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
  /** Is told the faults of each operation as soon as it has been asked. */
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
  /** Answers by status. */
  statuses: Map<number, number>
  findings: Finding[]
  /** Operations of which too few valid requests came to anything, so that little behind their validation was reached. */
  shallow: string[]
  /** What does not hold in the database or the log afterwards. */
  broken: string[]
}

/** Requests drawn and sent at a time, all at once; the next ones know the things that these made. */
const batchSize = 10

/** Tries to make a thing with a marked text, of which some break a rule that no schema can say. */
const mostMarkedTries = 2

const seedFor = (seed: number, ...parts: (string | number)[]): number =>
  createHash('sha256')
    .update([seed, ...parts].join(' '))
    .digest()
    .readInt32BE()

const harvest = (pool: Pool, { status, text }: FuzzAnswer): void => {
  if (status >= 300 || !/^[{[]/.test(text) || text.length > 1_000_000) return
  pool.harvest(JSON.parse(text))
}

/** Where an operation's identifiers come from; one that ends things is told of none but those that were made for it. */
const sourceOf = (operation: Operation, { pool, stock, email }: Tenant, marked = false) => ({
  pool: Stock.usedUp(operation).length > 0 ? new Pool() : pool,
  stock,
  email,
  marked
})

/** A path with another identifier in the place of its first one; undefined when it has none. */
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
  answer?: FuzzAnswer
  error?: unknown
}

/** Fuzzes one running server: tenant A fills it with marked texts, tenant B asks everything. */
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

  private async ask(request: FuzzRequest, credential: Record<string, string>): Promise<FuzzAnswer> {
    const { statusCode, headers, body } = await this.connections.request({
      method: request.method,
      path: request.path,
      headers: { ...request.headers, ...credential },
      ...(request.body === undefined ? {} : { body: request.body })
    })
    return { status: statusCode, headers, text: await body.text() }
  }

  /** Begins a request and resets its connection at a moment of the server's work that differs each time. */
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

  /** A key that has been used for one resource is refused for every other. */
  private async checkKey(
    operation: Operation,
    request: FuzzRequest,
    credential: Record<string, string>
  ): Promise<string | undefined> {
    const path = otherResource(request, operation)
    if (path === undefined) return undefined
    const { status, text } = await this.ask({ ...request, path }, credential)
    if ([400, 401, 403, 413, 415, 429].includes(status) || (status === 422 && text.includes('idempotency_conflict')))
      return undefined
    return `a used idempotency key is accepted for another resource: ${status} at ${path}`
  }

  /** Gives a tenant a thing of every kind that can be made, with texts of its own where they are to be marked. */
  async fill(tenant: Tenant, marked: boolean): Promise<void> {
    for (const operation of operations.filter(
      ({ method, operationId }) =>
        (method === 'POST' || method === 'PUT' || method === 'PATCH') && operationId !== 'changePassword'
    )) {
      const [kind = 'nobody'] = admittedKinds(operation)
      if (kind === 'operator') continue
      await tenant.stock.renew(operation, 1)
      const drawn = fc.sample(validRequests(operation, sourceOf(operation, tenant, marked)), {
        numRuns: marked ? mostMarkedTries : 1,
        seed: seedFor(this.options.seed, operation.operationId, 'fill')
      })
      for (const request of drawn) {
        harvest(tenant.pool, await this.ask(request, await tenant.present(operation, kind)))
      }
    }
    tenant.stock.reset()
  }

  /** The operations that show the tenant A its own marked texts, as they would show them to others by mistake. */
  async readBack(): Promise<string[]> {
    return await readsOfCanary(this.a, (request, credential) => this.ask(request, credential))
  }

  /** Asks one operation as often as the options say. */
  async visit(operation: Operation): Promise<Tally> {
    const tally = new Tally()
    const { seed, valid, invalid } = this.options
    for (const [kind, count] of [
      ['valid', valid],
      ['invalid', invalid]
    ] as const) {
      for (let from = 0; from < count; from += batchSize) {
        // Every third batch of the valid ones names the other tenant's things.
        const owner = kind === 'valid' && from % (3 * batchSize) === 2 * batchSize ? this.a : this.b
        // What wrong requests use up is little: their things are made anew now and then.
        const numRuns = Math.min(batchSize, count - from)
        if (kind === 'valid' || from % (10 * batchSize) === 0) await owner.stock.renew(operation, numRuns)
        const requests = (kind === 'valid' ? validRequests : invalidRequests)(operation, sourceOf(operation, owner))
        const drawn = fc.sample(fc.tuple(requests, fc.nat()), {
          numRuns,
          seed: seedFor(seed, operation.operationId, kind, from)
        })
        const tries = await Promise.all(drawn.map(([request, die]) => this.try(operation, request, die)))
        // In the order of the draw, whichever was answered first.
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
    const credential = kinds[Math.floor(die / 4) % kinds.length] ?? 'nobody'
    const isKeyed = operation.idempotent && request.kind === 'valid' && die % 3 === 0
    if (isKeyed) request.headers['idempotency-key'] = randomUUID()
    this.requests += 1
    try {
      const presented = await this.b.present(operation, credential)
      if (die % 16 === 5) await this.cut(request, presented, die)
      const answer = await this.ask(request, presented)
      const fault = isKeyed && answer.status < 300 ? await this.checkKey(operation, request, presented) : undefined
      if (fault !== undefined) this.findings.push({ operationId: operation.operationId, fault, request, credential })
      return { request, credential, answer }
    } catch (error) {
      return { request, credential, error }
    }
  }

  /** Notes what is wrong with an answer, and takes the identifiers out of it. */
  private judge(operation: Operation, { request, credential, answer, error }: Try): number {
    const { operationId } = operation
    if (answer === undefined) {
      this.findings.push({ operationId, fault: `no answer: ${String(error)}`, request, credential })
      return 0
    }
    const isAdmitted = admittedKinds(operation).includes(credential)
    // An operator reads everything, and what anybody may read of an agent is nobody's secret.
    const foreign = credential !== 'operator' && credential !== 'ingest' && !admittedKinds(operation).includes('nobody')
    for (const fault of faultsOf(operation, request, answer, isAdmitted, this.secrets, foreign))
      this.findings.push({ operationId, fault, request, credential })
    if (isAdmitted) harvest(this.b.pool, answer)
    return answer.status
  }
}

/** How many requests the server believes to be in progress, when none has been for a while. */
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
    ...(await findMiscounted(db)).map((agent) => `bureau: the counters of ${agent} are not a recount's`),
    ...preparing.map(({ id }) => `transfers: ${id} is half done`),
    ...(inFlight === 0 ? [] : [`overload: ${inFlight} requests are counted as in progress, though none is`]),
    ...log
      .filter((line) => [...secrets].some((secret) => line.includes(secret)))
      .map((line) => `log: a secret in ${line.slice(0, 200)}`)
  ]
}

/** What is known to everybody is no secret. */
const publicKinds = new Set(['ingest', 'garbage', 'unknownKey', 'overlong'])

/** Starts a server, fuzzes it, and verifies afterwards that everything holds. */
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
  const unmarked = await whatLacksCanary(server.database.db, await fuzzer.readBack(), options.print)
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
