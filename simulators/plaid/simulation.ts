import type { FastifyInstance } from 'fastify'
import type { Static, TSchema } from '@sinclair/typebox'
import type { Db } from '../../plugins/database/types.ts'
import type { Faults } from './faults.ts'
import type { TransactionFeed } from './sync.ts'
import type { Webhook, WebhookSender } from './webhooks.ts'

/** The state and options that all routes share. */
export interface Simulation {
  db: Db
  clock: { now: () => Date }
  clientId: string
  secret: string
  faults: Faults
  feed: TransactionFeed
  webhooks: WebhookSender
  /** The URL for TRANSFER_EVENTS_UPDATE, which Plaid has in its dashboard. */
  transferWebhookUrl: () => string | undefined
  autosettle: boolean
}

/** A call: its time, and the webhooks to send after its response. */
export interface Call {
  now: Date
  webhooks: Webhook[]
}

/**
 * Registers one of Plaid's endpoints. The handler's webhooks are sent after the response, whether or not that arrives.
 * A handler that throws sends none.
 */
export const registerEndpoint = <Body extends TSchema>(
  app: FastifyInstance,
  simulation: Simulation,
  path: string,
  body: Body,
  handler: (body: Static<Body>, call: Call) => Promise<object>
): void => {
  app.post<{ Body: Static<Body> }>(path, { schema: { body } }, async (request, reply) => {
    const call: Call = { now: simulation.clock.now(), webhooks: [] }
    const result = await handler(request.body, call)
    const responded = new Promise<void>((resolve) => {
      reply.raw.once('finish', resolve)
      reply.raw.once('close', resolve)
    })
    simulation.webhooks.sendAfter(responded, call.webhooks)
    return { ...result, request_id: request.id }
  })
}
