import { allSubtypes } from './all-subtypes.ts'
import { balanceAgeRule } from './balance-age-rule.ts'
import type { Behaviour } from './behaviour.ts'
import { currencies } from './currencies.ts'
import { expiringConsent } from './expiring-consent.ts'
import { futurePending } from './future-pending.ts'
import { lateBills } from './late-bills.ts'
import { lostHolds } from './lost-holds.ts'
import { moreAccounts } from './more-accounts.ts'
import { noAvailable } from './no-available.ts'
import { noLiveBalance } from './no-live-balance.ts'
import { oddRecords } from './odd-records.ts'
import { persistentIds } from './persistent-ids.ts'
import { refunds } from './refunds.ts'
import { refusedCursors } from './refused-cursors.ts'
import { slowHistory } from './slow-history.ts'
import { sparseBills } from './sparse-bills.ts'
import { tips } from './tips.ts'
import { twoPolicies } from './two-policies.ts'
import { vanishingAccount } from './vanishing-account.ts'
import { weekendShifts } from './weekend-shifts.ts'
import { wordyLines } from './wordy-lines.ts'

export type { Behaviour, Moment, UpdateStatus } from './behaviour.ts'

/** Every behaviour by name, for banks that combine them. */
export const behaviours = {
  lateBills,
  weekendShifts,
  sparseBills,
  twoPolicies,
  englishLines: wordyLines('en'),
  germanLines: wordyLines('de'),
  spanishLines: wordyLines('es'),
  refunds,
  tips,
  lostHolds,
  futurePending,
  noAvailable,
  vanishingAccount,
  persistentIds,
  allSubtypes,
  currencies,
  slowHistory,
  refusedCursors,
  oddRecords,
  balanceAgeRule: balanceAgeRule(6),
  veryOldBalances: balanceAgeRule(24 * 60),
  noLiveBalance,
  expiringConsent,
  moreAccounts
} satisfies Record<string, Behaviour>
