import type { FastifyPluginAsync } from 'fastify'
import { createGroupedTransactions } from '../../plugins/database/grouped-transactions.ts'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/agents.ts'
import { approvalHandlers } from './handlers/approvals.ts'
import { checkoutHandlers } from './handlers/checkout.ts'
import { ownerHandlers } from './handlers/owners.ts'
import { spendingHandlers } from './handlers/spending.ts'
import { walletHandlers } from './handlers/wallets.ts'
import { expireApprovals } from './queries/approvals.ts'
import './tables.ts'

const expireEveryMs = 60_000

const agents: FastifyPluginAsync = async (app) => {
  const handlers = {
    ...walletHandlers(app),
    ...spendingHandlers(app),
    ...approvalHandlers(app),
    ...ownerHandlers(app),
    ...checkoutHandlers(app)
  }
  // Spends that come at the same time share a transaction, and so its commit.
  bindOperations(app, operations, handlers, { spendCredits: createGroupedTransactions(app.database.db) })
  app.jobs.every('expire approval requests', expireEveryMs, () => expireApprovals(app.database.db, app.clock.now()))
}

export default agents
