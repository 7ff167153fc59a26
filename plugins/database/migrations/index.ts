import * as core from './0001-core.ts'
import * as plaidSimulator from './0002-plaid-simulator.ts'
import * as stripeSimulator from './0003-stripe-simulator.ts'
import * as usage from './0004-usage.ts'
import * as linking from './0006-linking.ts'
import * as calculations from './0008-calculations.ts'
import * as webhooks from './0009-webhooks.ts'
import * as ledger from './0010-ledger.ts'
import * as agents from './0011-agents.ts'
import * as payments from './0012-payments.ts'
import * as bureau from './0013-bureau.ts'
import * as loans from './0014-loans.ts'
import * as work from './0015-work.ts'
import * as collectedSpends from './0016-collected-spends.ts'
import * as itemRemoval from './0019-item-removal.ts'
import * as recalledLegs from './0020-recalled-legs.ts'
import * as disputesDecided from './0021-disputes-decided.ts'
import * as stripeSimulatorDisputes from './0022-stripe-simulator-disputes.ts'
import * as lateSpends from './0023-late-spends.ts'
import * as answeredKeys from './0024-answered-keys.ts'
import * as publishing from './0025-publishing.ts'
import * as indexesOfLookups from './0026-indexes-of-lookups.ts'
import * as approvalsByStatus from './0027-approvals-by-status.ts'
import * as publishingByPartner from './0028-publishing-by-partner.ts'

/** The linear history of the schema. */
export const migrations = {
  '0001-core': core,
  '0002-plaid-simulator': plaidSimulator,
  '0003-stripe-simulator': stripeSimulator,
  '0004-usage': usage,
  '0006-linking': linking,
  '0008-calculations': calculations,
  '0009-webhooks': webhooks,
  '0010-ledger': ledger,
  '0011-agents': agents,
  '0012-payments': payments,
  '0013-bureau': bureau,
  '0014-loans': loans,
  '0015-work': work,
  '0016-collected-spends': collectedSpends,
  '0019-item-removal': itemRemoval,
  '0020-recalled-legs': recalledLegs,
  '0021-disputes-decided': disputesDecided,
  '0022-stripe-simulator-disputes': stripeSimulatorDisputes,
  '0023-late-spends': lateSpends,
  '0024-answered-keys': answeredKeys,
  '0025-publishing': publishing,
  '0026-indexes-of-lookups': indexesOfLookups,
  '0027-approvals-by-status': approvalsByStatus,
  '0028-publishing-by-partner': publishingByPartner
}
