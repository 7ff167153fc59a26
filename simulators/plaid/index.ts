import { createHash, timingSafeEqual } from 'node:crypto'
import fastify, { type FastifyBaseLogger, type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify'
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
import { Faults, applyBefore } from './faults.ts'
import type { Fault } from './faults.ts'
import type { WireTransaction } from './history/render.ts'
import { registerItemRoutes } from './item-routes.ts'
import { findItem, setSharesAll } from './queries.ts'
import { randomRequestId } from './random.ts'
import { completeLink, registerSandboxRoutes, repairLogin } from './sandbox-routes.ts'
import type { Simulation } from './simulation.ts'
import { TransactionFeed } from './sync.ts'
import './tables.ts'
import { takeBackDebit } from './transfer-queries.ts'
import { registerTransferRoutes } from './transfer-routes.ts'
import { validateLazily } from './validators.ts'
import { WebhookSender } from './webhooks.ts'

export { Faults, faultKinds } from './faults.ts'
export type { Fault, FaultKind } from './faults.ts'
export { behaviours, type Behaviour } from './behaviours/index.ts'
export { historyBetween } from './history/timeline.ts'
export { openBank } from './institutions.ts'

export interface PlaidSimulatorOptions {
  /** Holds the state, in schema `simulators`; several instances may share it. */
  db: Db
  clock: { now: () => Date }
  /** The only credentials that the API accepts. */
  clientId: string
  secret: string
  faults?: Faults
  /** Sends the webhooks. */
  fetch?: typeof fetch
  /** The URL for transfer webhooks, read at each of them; undefined sends none. */
  transferWebhookUrl?: () => string | undefined
  /** Whether the clock moves transfers: posted, settled and available on later business days. */
  autosettle?: boolean
  /** Receives unexpected errors; without it they are not logged. */
  logger?: FastifyBaseLogger
}

export interface PlaidSimulator {
  /** Plaid's API. The caller listens on an address of its choice, and closes it. */
  api: FastifyInstance
  faults: Faults
  /** Resolves when every webhook has been delivered or given up. */
  settled: () => Promise<void>
  /** Repairs an item, as a person does in Link's update mode. */
  repairLogin: (itemId: string) => Promise<void>
  /** What the bank has of an item now: the sound records of its present transactions, as on the wire. */
  truthOf: (itemId: string) => Promise<WireTransaction[]>
  /** Completes Link with a link token, as a person does. @throws PlaidApiError */
  completeLink: (linkToken: string) => Promise<{ public_token: string }>
  /** Shares accounts that the bank has added, as a person does in Link's update mode. */
  shareMoreAccounts: (itemId: string) => Promise<void>
  /** Returns a settled debit. Banks can do that for sixty days; Plaid's sandbox has no endpoint for it. */
  takeBackDebit: (transferId: string) => Promise<void>
}

/** Creates a Plaid sandbox that speaks Plaid's wire protocol. Its migrations must have run. */
export const createPlaidSimulator = async (options: PlaidSimulatorOptions): Promise<PlaidSimulator> => {
  const { db, clock, clientId, secret } = options
  const simulation: Simulation = {
    db,
    clock,
    clientId,
    secret,
    faults: options.faults ?? new Faults(),
    feed: new TransactionFeed(db),
    webhooks: new WebhookSender({ db, clock, fetch: options.fetch ?? fetch }),
    transferWebhookUrl: options.transferWebhookUrl ?? (() => undefined),
    autosettle: options.autosettle ?? false
  }
  const api: FastifyInstance = fastify({
    ...(options.logger === undefined ? {} : { loggerInstance: options.logger, disableRequestLogging: true }),
    genReqId: randomRequestId,
    requestIdHeader: false,
    bodyLimit: 262_144
  })
  validateLazily(api)
  sendErrorsLikePlaid(api)
  injectFaults(api, simulation)
  requireCredentials(api, simulation)
  registerItemRoutes(api, simulation)
  registerSandboxRoutes(api, simulation)
  registerTransferRoutes(api, simulation)
  api.addHook('onClose', async () => await simulation.webhooks.close())
  await api.ready()
  return {
    api,
    faults: simulation.faults,
    settled: async () => await simulation.webhooks.settled(),
    repairLogin: async (itemId) => await repairLogin(simulation, itemId),
    truthOf: async (itemId) => {
      const item = await findItem(db, itemId)
      return item === undefined ? [] : await simulation.feed.truthOf(item, clock.now())
    },
    completeLink: async (linkToken) => await completeLink(simulation, linkToken, undefined, clock.now()),
    shareMoreAccounts: async (itemId) => await setSharesAll(db, itemId, clock.now()),
    takeBackDebit: async (transferId) => await takeBackDebit(db, transferId, clock.now())
  }
}

/** Ajv's findings as Plaid's error: missing fields first, then unknown ones, then the first invalid one. */
const validationError = (error: FastifyError): PlaidApiError => {
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

const toPlaidError = (error: FastifyError | PlaidApiError): PlaidApiError => {
  if (error instanceof PlaidApiError) return error
  if (error.validation !== undefined) return validationError(error)
  if (error.statusCode !== undefined && error.statusCode < 500) return invalidBody('body could not be parsed as JSON')
  return internalServerError()
}

const sendErrorsLikePlaid = (app: FastifyInstance): void => {
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

const injectFaults = (app: FastifyInstance, simulation: Simulation): void => {
  const injected = new WeakMap<FastifyRequest, Fault>()
  app.addHook('onRequest', async (request, reply) => {
    if (isControl(request)) return
    const path = request.routeOptions.url ?? ''
    const fault = simulation.faults.take(path)
    if (fault === undefined) return
    injected.set(request, fault)
    if (await applyBefore(fault, path)) {
      reply.hijack()
      request.raw.socket.destroy()
    }
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const fault = injected.get(request)
    // The handler has committed its effects by now: only the response is lost.
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

/** Credentials come in the body or in two headers, as with Plaid; both are compared in constant time. */
const requireCredentials = (app: FastifyInstance, simulation: Simulation): void => {
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
