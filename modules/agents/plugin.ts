import type { FastifyPluginAsync } from 'fastify'
import { createGroupedTransactions } from '../../plugins/database/grouped-transactions.ts'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/agents.ts'
import { approvalHandlers } from './handlers/approvals.ts'
import { checkoutHandlers } from './handlers/checkout.ts'
import { checkoutReturnHandlers } from './handlers/checkout-return.ts'
import { ownerHandlers } from './handlers/owners.ts'
import { spendingHandlers } from './handlers/spending.ts'
import { transferHandlers } from './handlers/transfers.ts'
import { walletHandlers } from './handlers/wallets.ts'
import { closePayments } from './payment-jobs.ts'
import { expireApprovals } from './queries/approvals.ts'
import type { TopUps } from './topups.ts'
import './tables.ts'

const expireEveryMs = 60_000
const closeEveryMs = 60_000

const closePaymentsJob = 'close payments of agents'

const agents: FastifyPluginAsync = async (app) => {
  const { clock, ledger, log, notifications, outbox } = app
  app.jobs.every(closePaymentsJob, closeEveryMs, () => closePayments(app, topUps))
  const requestClosing = app.jobs.prompter(closePaymentsJob)
  const topUps: TopUps = { clock, ledger, log, notifications, outbox, requestClosing }
  const handlers = {
    ...walletHandlers(app),
    ...spendingHandlers(app),
    ...approvalHandlers(app),
    ...ownerHandlers(app, requestClosing),
    ...transferHandlers(app),
    ...checkoutHandlers(app, topUps),
    ...checkoutReturnHandlers(app)
  }
  // Spends that come at the same time share a transaction, and so its commit.
  bindOperations(app, operations, handlers, { spendCredits: createGroupedTransactions(app.database.db) })
  app.jobs.every('expire approval requests', expireEveryMs, () => expireApprovals(app.database.db, app.clock.now()))
}

export default agents
