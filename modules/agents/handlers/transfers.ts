import type { FastifyInstance } from 'fastify'
import { toCents } from '../../../plugins/money.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import type { operations } from '../../../spec/generated/agents.ts'
import { transferCredits } from '../transfers.ts'

export const transferHandlers = (app: FastifyInstance): Pick<Handlers<typeof operations>, 'transferAgentCredits'> => ({
  async transferAgentCredits({ params, body, caller, db }) {
    const { agent_id: fromId } = params
    const { to_agent_id: toId, amount } = body
    return { ok: true, ...(await transferCredits(app, db, caller, { fromId, toId, amountCents: toCents(amount) })) }
  }
})
