import { core } from './0001-core.ts'
import { ledger } from './0002-ledger.ts'
import { linking } from './0003-linking.ts'
import { calculations } from './0004-calculations.ts'
import { usage } from './0005-usage.ts'
import { webhooks } from './0006-webhooks.ts'
import { agents } from './0007-agents.ts'
import { payments } from './0008-payments.ts'
import { bureau } from './0009-bureau.ts'
import { loans } from './0010-loans.ts'
import { work } from './0011-work.ts'
import { autovacuum } from './0012-autovacuum.ts'
import { insights } from './0013-insights.ts'

/** The linear history of the schema: tables, constraints and indexes. Functions and triggers are in `functions/`. */
export const migrations = {
  '0001-core': core,
  '0002-ledger': ledger,
  '0003-linking': linking,
  '0004-calculations': calculations,
  '0005-usage': usage,
  '0006-webhooks': webhooks,
  '0007-agents': agents,
  '0008-payments': payments,
  '0009-bureau': bureau,
  '0010-loans': loans,
  '0011-work': work,
  '0012-autovacuum': autovacuum,
  '0013-insights': insights
}
