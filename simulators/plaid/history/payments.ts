import type { Life } from './life.ts'
import { dayMs, hourMs } from './days.ts'
import type { Merchant } from './merchants.ts'

/** A payment that is posted at once, on one day (days since 1970-01-01). The amount is in minor units, positive when it leaves the account. */
export const postedPayment = (
  key: string,
  account: string,
  merchant: Merchant,
  amountCents: number,
  day: number,
  more: Partial<Life> = {}
): Life => {
  const authorizedAt = day * dayMs + 12 * hourMs
  return {
    key,
    mask: account,
    merchant,
    line: merchant.line,
    authorizedAt,
    amountCents,
    pendingAt: null,
    postedAt: authorizedAt + 2 * hourMs,
    releasedAt: null,
    postedCents: amountCents,
    revision: null,
    retractedAt: null,
    ...more
  }
}

/** A company that sends bills. */
export const biller = (
  name: string,
  line = name.toUpperCase(),
  primary = 'GENERAL_SERVICES',
  detail = 'INSURANCE'
): Merchant => ({
  name,
  line,
  primary,
  detail,
  channel: 'other',
  counterparty: 'merchant',
  website: null,
  minCents: 0,
  maxCents: 0
})
