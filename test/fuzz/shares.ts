/** The minimum share of an operation's valid requests that must succeed. Counts accepted credentials and the sender's own resources only. */
const leastShare = 0.25

/** Fewer requests than this are too few to judge. */
const leastRequests = 40

/** Operations with a lower minimum, and why. */
const exceptions: Record<string, { least: number; why: string }> = {
  receiveStripeEvent: { least: 0, why: 'Stripe signs its webhooks; a generated body has no signature.' },
  receivePlaidWebhook: { least: 0, why: 'Plaid signs its webhooks; a generated body has no signature.' },
  createTransfer: {
    least: 0.12,
    why: 'The balance of an account covers only a few transfers, and not every rail works for every pair of accounts.'
  },
  simulateTransferEvent: {
    least: 0.12,
    why: 'A transfer takes each step once and in order; most generated steps are not its next one.'
  },
  getCashflowForecast: {
    least: 0.08,
    why: 'The tenant has several end-users, so that only requests with `user_id` succeed, and a request can omit it.'
  },
  sendEmailCode: { least: 0.05, why: 'A user gets only a few codes an hour.' },
  setPhone: { least: 0.03, why: 'A user gets only a few codes an hour.' },
  verifyEmail: { least: 0, why: 'The code is in a message; a generated one is wrong.' },
  verifyPhone: { least: 0, why: 'The code is in a message; a generated one is wrong.' },
  requestLoan: { least: 0.03, why: 'An agent has one loan at a time, so one of ten concurrent requests is granted.' }
}

/** Counts responses by status, and how many of the requests that ought to succeed did. */
export class Tally {
  readonly statuses = new Map<number, number>()
  private expected = 0
  private done = 0

  add(status: number, isExpected: boolean): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
    if (!isExpected) return
    this.expected += 1
    if (status >= 200 && status < 300) this.done += 1
  }

  include(other: Tally): void {
    for (const [status, count] of other.statuses) this.statuses.set(status, (this.statuses.get(status) ?? 0) + count)
  }

  private get share(): number {
    return this.expected === 0 ? 0 : this.done / this.expected
  }

  /** A message when too few requests succeeded; undefined when enough did, or when too few were sent to judge. */
  shortfallOf(operationId: string): string | undefined {
    const least = exceptions[operationId]?.least ?? leastShare
    if (this.expected < leastRequests || this.share >= least) return undefined
    return `${operationId}: ${this.done} of ${this.expected} valid requests succeeded, the minimum is ${(100 * least).toFixed(0)} %`
  }

  toString(): string {
    const share = this.expected === 0 ? '' : `${(100 * this.share).toFixed(0)} %`.padStart(6)
    return `${share.padEnd(8)}${[...this.statuses]
      .sort(([one], [other]) => one - other)
      .map(([status, count]) => `${status}×${count}`)
      .join(' ')}`
  }
}
