import type { FastifyInstance } from 'fastify'
import type { Db } from '../../../plugins/database/types.ts'
import { notFound } from '../../../plugins/http/errors/kinds.ts'
import { pageHeaders } from '../../../plugins/http/pages.ts'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import type { operations } from '../../../spec/generated/agents.ts'
import { findAgent } from '../queries/agents.ts'
import { findTopUp } from '../queries/topups.ts'
import { cancelledPage, paymentPage, type Wallet } from '../return-page.ts'

/** An agent's wallet, which is public. */
const findWallet = async (
  app: Pick<FastifyInstance, 'ledger'>,
  db: Db,
  agentId: string
): Promise<Wallet | undefined> => {
  const agent = await findAgent(db, agentId)
  return agent && { agent, balanceCents: (await app.ledger.balance(db, agentId)) ?? 0 }
}

/** The page that Stripe redirects a buyer to. It reads from the database only: anyone may open it, so it never calls Stripe. */
export const checkoutReturnHandlers = (
  app: Pick<FastifyInstance, 'config' | 'ledger'>
): Pick<Handlers<typeof operations>, 'showCheckoutReturn'> => ({
  async showCheckoutReturn({ query, db }) {
    const home = app.config.docsEnabled ? '/' : undefined
    if (query.session_id !== undefined) {
      const topUp = await findTopUp(db, 'session_id', query.session_id)
      if (topUp === undefined || (query.agent_id ?? topUp.agentId) !== topUp.agentId)
        throw notFound('This server knows no such payment. If you have paid, check the wallet.')
      return answer(200, paymentPage(topUp, await findWallet(app, db, topUp.agentId), home), pageHeaders)
    }
    if (query.outcome !== 'cancelled')
      throw notFound('This address names no payment. Open the link of your payment again.')
    const wallet = query.agent_id === undefined ? undefined : await findWallet(app, db, query.agent_id)
    return answer(200, cancelledPage(wallet, home), pageHeaders)
  }
})
