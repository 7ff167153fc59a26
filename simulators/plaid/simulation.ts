import type { FastifyInstance } from 'fastify'
import type { Static, TSchema } from '@sinclair/typebox'
import type { Db } from '../../plugins/database/types.ts'
import type { Faults } from './faults.ts'
import type { TransactionFeed } from './sync.ts'
import type { Webhook, WebhookSender } from './webhooks.ts'

/** What the routes of the simulator share. */
export interface Simulation {
  db: Db
  clock: { now: () => Date }
  clientId: string
  secret: string
  faults: Faults
  feed: TransactionFeed
  webhooks: WebhookSender
  /** Where TRANSFER_EVENTS_UPDATE goes; Plaid keeps that address in its dashboard. */
  transferWebhookUrl: () => string | undefined
  autosettle: boolean
}

/** One call: when it came, and what it wants sent once it has been answered. */
export interface Call {
  now: Date
  webhooks: Webhook[]
}

/**
 * Registers one of Plaid's endpoints. Webhooks that the handler asks for are sent after the answer,
 * whether or not the answer arrives; a handler that throws sends none.
 */
export const endpoint = <Body extends TSchema>(
  app: FastifyInstance,
  simulation: Simulation,
  path: string,
  body: Body,
  handler: (body: Static<Body>, call: Call) => Promise<object>
): void => {
  app.post<{ Body: Static<Body> }>(path, { schema: { body } }, async (request, reply) => {
    const call: Call = { now: simulation.clock.now(), webhooks: [] }
    const answer = await handler(request.body, call)
    const answered = new Promise<void>((resolve) => {
      reply.raw.once('finish', resolve)
      reply.raw.once('close', resolve)
    })
    simulation.webhooks.sendAfter(answered, call.webhooks)
    return { ...answer, request_id: request.id }
  })
}
