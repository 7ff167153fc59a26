import type { FastifyInstance } from 'fastify'
import type Stripe from 'stripe'
import type { SessionCaller } from '../../../plugins/access/caller.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { toCents } from '../../../plugins/money.ts'
import type { operations } from '../../../spec/generated/agents.ts'
import { agentRevoked, claimNeedsKey, notOwner } from '../errors.ts'
import { findAgent, type Agent } from '../queries/agents.ts'
import { insertTopUp } from '../queries/topups.ts'
import { findOrCreateAgent } from '../registration.ts'
import { readStripeEvent } from '../stripe-events.ts'
import { bookEvent, type TopUps } from '../topups.ts'

/** Built from the request alone: Stripe rejects a retry under the same idempotency key with other parameters. */
const sessionParams = (
  agentId: string,
  amountCents: number,
  publicUrl: string
): Stripe.Checkout.SessionCreateParams => {
  const metadata = { agent_id: agentId, amount_cents: amountCents }
  const product = { name: `${amountCents} credits`, description: `For the agent ${agentId}` }
  return {
    mode: 'payment',
    line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: amountCents, product_data: product } }],
    client_reference_id: agentId,
    metadata,
    payment_intent_data: { metadata, description: `${amountCents} credits for the agent ${agentId}` },
    success_url: `${publicUrl}/checkout/return?session_id={CHECKOUT_SESSION_ID}`,
    cancel_url: `${publicUrl}/checkout/return?outcome=cancelled&agent_id=${encodeURIComponent(agentId)}`
  }
}

/** What identifies an event in the log. */
const toLogged = ({ id, type }: { id?: unknown; type?: unknown }) => ({
  id: String(id).slice(0, 255),
  type: String(type).slice(0, 255)
})

/** An agent that exists is never claimed in passing. @throws ProblemError 403 `claim_needs_key` or `not_owner`, 409 `agent_revoked` */
const requireFundable = (agent: Agent | undefined, caller: SessionCaller): void => {
  if (agent === undefined) return
  if (agent.ownerUserId === null) throw claimNeedsKey(agent.agentId, 'not_claimed')
  if (agent.ownerUserId !== caller.userId) throw notOwner(agent.agentId)
  if (agent.status === 'revoked') throw agentRevoked(agent.agentId)
}

export const checkoutHandlers = (
  app: FastifyInstance,
  topUps: TopUps
): Pick<Handlers<typeof operations>, 'createCheckout' | 'receiveStripeEvent'> => ({
  async createCheckout({ body, caller, db, onwardKey }) {
    const { agent_id: agentId } = body
    const amountCents = toCents(body.amount)
    requireFundable(await findAgent(db, agentId), caller)
    const params = sessionParams(agentId, amountCents, app.stripe.publicUrl())
    const { id: sessionId, url } = await app.stripe.call(onwardKey, (stripe, options) =>
      stripe.checkout.sessions.create(params, options)
    )
    if (url === null) throw new Error('Stripe created a checkout session without a URL.')
    return async (trx) => {
      const { agent } = await findOrCreateAgent(app, trx, agentId, undefined, caller)
      requireFundable(agent, caller)
      await insertTopUp(trx, { sessionId, agentId, amountCents, createdAt: app.clock.now() })
      return { ok: true, checkout_url: url }
    }
  },

  async receiveStripeEvent({ body, db, request, headers }) {
    app.stripe.verifyEvent(request.rawBody ?? Buffer.alloc(0), headers['stripe-signature'])
    const event = readStripeEvent(body)
    // Stripe would retry an error for days, and nothing can be done with the event before this server knows its shape.
    if (event === undefined) app.log.warn({ event: toLogged(body) }, 'Stripe sent an event of an unknown shape')
    else await bookEvent(topUps, db, event)
    return { received: true }
  }
})
