import { createHash, timingSafeEqual } from 'node:crypto'
import Fastify from 'fastify'
import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyRequest } from 'fastify'
import type { Db } from '../../plugins/database/types.ts'
import {
  PlaidApiError,
  internalServerError,
  invalidApiKeys,
  invalidBody,
  invalidField,
  missingFields,
  notFound,
  unknownFields
} from './errors.ts'
import { Faults, sufferBefore } from './faults.ts'
import type { Fault } from './faults.ts'
import { registerItemRoutes } from './item-routes.ts'
import { randomRequestId } from './random.ts'
import { registerSandboxRoutes, repairLogin } from './sandbox-routes.ts'
import type { Simulation } from './simulation.ts'
import { TransactionFeed } from './sync.ts'
import './tables.ts'
import { takeBackDebit } from './transfer-queries.ts'
import { registerTransferRoutes } from './transfer-routes.ts'
import { validateLazily } from './validators.ts'
import { WebhookSender } from './webhooks.ts'

export { Faults, faultKinds } from './faults.ts'
export type { Fault, FaultKind } from './faults.ts'
export { historyBetween } from './history/timeline.ts'

export interface PlaidSimulatorOptions {
  /** Where its state lives, in tables of its own; several instances may share it. */
  db: Db
  clock: { now: () => Date }
  /** The credentials that it accepts. */
  clientId: string
  secret: string
  faults?: Faults
  /** Sends its webhooks. */
  fetch?: typeof fetch
  /** Where transfer webhooks go; asked at each of them. */
  transferWebhookUrl?: () => string | undefined
  /** Transfers move by the clock: posted, settled and available on later business days. */
  autosettle?: boolean
  /** Hears of the simulator's own defects; everything else is answered to the caller. */
  logger?: FastifyBaseLogger
}

export interface PlaidSimulatorControls {
  faults: Faults
  /** Fulfilled when no webhook is on its way any more. */
  settled: () => Promise<void>
  /** What a person does in Link's update mode: the item works again. */
  repairLogin: (itemId: string) => Promise<void>
  /** What banks do up to sixty days later, and what the sandbox cannot be told over the wire: they take a settled debit back. */
  takeBackDebit: (transferId: string) => Promise<void>
}

export type PlaidSimulator = FastifyInstance & { simulator: PlaidSimulatorControls }

/**
 * Plaid's sandbox in this process, on Plaid's wire protocol. The caller listens on an address of its choice
 * and closes it; the database's tables must exist (migration 0002).
 */
export async function buildPlaidSimulator(options: PlaidSimulatorOptions): Promise<PlaidSimulator> {
  const simulation: Simulation = {
    db: options.db,
    clock: options.clock,
    clientId: options.clientId,
    secret: options.secret,
    faults: options.faults ?? new Faults(),
    feed: new TransactionFeed(options.db),
    webhooks: new WebhookSender({ db: options.db, clock: options.clock, fetch: options.fetch ?? fetch }),
    transferWebhookUrl: options.transferWebhookUrl ?? (() => undefined),
    autosettle: options.autosettle ?? false
  }
  const app: FastifyInstance = Fastify({
    ...(options.logger === undefined ? {} : { loggerInstance: options.logger, disableRequestLogging: true }),
    genReqId: randomRequestId,
    requestIdHeader: false,
    bodyLimit: 262_144
  })
  validateLazily(app)
  answerErrorsLikePlaid(app)
  sufferFaults(app, simulation)
  requireCredentials(app, simulation)
  registerItemRoutes(app, simulation)
  registerSandboxRoutes(app, simulation)
  registerTransferRoutes(app, simulation)
  app.addHook('onClose', async () => await simulation.webhooks.close())
  await app.ready()
  const simulator: PlaidSimulatorControls = {
    faults: simulation.faults,
    settled: async () => await simulation.webhooks.settled(),
    repairLogin: async (itemId) => await repairLogin(simulation, itemId),
    takeBackDebit: async (transferId) => await takeBackDebit(simulation.db, transferId, simulation.clock.now())
  }
  return Object.assign(app, { simulator })
}

/** Ajv's findings in Plaid's words: missing fields first, then unknown ones, then the first that is wrong. */
function validationError(error: FastifyError): PlaidApiError {
  const findings = error.validation ?? []
  const names = (keyword: string, parameter: string) =>
    findings
      .filter((finding) => finding.keyword === keyword)
      .map((finding) => [...finding.instancePath.split('/').slice(1), String(finding.params[parameter])].join('.'))
  const missing = names('required', 'missingProperty')
  if (missing.length > 0) return missingFields(missing)
  const unknown = names('additionalProperties', 'additionalProperty')
  if (unknown.length > 0) return unknownFields(unknown)
  const [first] = findings
  if (first === undefined || first.instancePath === '') return invalidBody('body could not be parsed as JSON')
  return invalidField(`${first.instancePath.slice(1).replaceAll('/', '.')} ${first.message ?? 'is not valid'}`)
}

function toPlaidError(error: FastifyError | PlaidApiError): PlaidApiError {
  if (error instanceof PlaidApiError) return error
  if (error.validation !== undefined) return validationError(error)
  if (error.statusCode !== undefined && error.statusCode < 500) return invalidBody('body could not be parsed as JSON')
  return internalServerError()
}

function answerErrorsLikePlaid(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const plaidError = toPlaidError(error)
    if (plaidError.status === 500 && !(error instanceof PlaidApiError)) request.log.error(error)
    return await reply.code(plaidError.status).send({ ...plaidError.body(), request_id: request.id })
  })
  app.setNotFoundHandler(async (request, reply) => {
    const error = notFound()
    return await reply.code(error.status).send({ ...error.body(), request_id: request.id })
  })
}

const isControl = (request: FastifyRequest) => request.routeOptions.url?.startsWith('/simulator/') ?? true

function sufferFaults(app: FastifyInstance, simulation: Simulation): void {
  const suffered = new WeakMap<FastifyRequest, Fault>()
  app.addHook('onRequest', async (request, reply) => {
    if (isControl(request)) return
    const path = request.routeOptions.url ?? ''
    const fault = simulation.faults.take(path)
    if (fault === undefined) return
    suffered.set(request, fault)
    if (await sufferBefore(fault, path)) {
      reply.hijack()
      request.raw.socket.destroy()
    }
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const fault = suffered.get(request)
    // By now the handler is through and its effects are committed: only the answer is lost.
    if (fault?.kind === 'drop_after') {
      request.raw.socket.destroy()
    } else if (fault?.kind === 'error_after') {
      const error = internalServerError()
      reply.code(error.status)
      return JSON.stringify({ ...error.body(), request_id: request.id })
    }
    return payload
  })
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Credentials come in the body or in two headers, as with Plaid; both halves are compared in constant time. */
function requireCredentials(app: FastifyInstance, simulation: Simulation): void {
  const clientId = digest(simulation.clientId)
  const secret = digest(simulation.secret)
  app.addHook('preValidation', async (request) => {
    if (request.routeOptions.url === undefined) return
    const { body, headers } = request
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      throw invalidBody('body could not be parsed as JSON')
    const given = (field: 'client_id' | 'secret', header: string) => {
      const value = (body as Record<string, unknown>)[field] ?? headers[header]
      return typeof value === 'string' ? value : undefined
    }
    const givenId = given('client_id', 'plaid-client-id')
    const givenSecret = given('secret', 'plaid-secret')
    const missing = [...(givenId === undefined ? ['client_id'] : []), ...(givenSecret === undefined ? ['secret'] : [])]
    if (givenId === undefined || givenSecret === undefined) throw missingFields(missing)
    const matches = [timingSafeEqual(digest(givenId), clientId), timingSafeEqual(digest(givenSecret), secret)]
    if (matches.includes(false)) throw invalidApiKeys()
  })
}
