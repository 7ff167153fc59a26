/** The least share of an operation's valid requests, by a credential that it admits and about the sender's own things, that must be carried out. */
const leastShare = 0.25

/** Below this many such requests a share says nothing. */
const leastRequests = 40

/** Operations of which less can be asked, and why. */
const exceptions: Record<string, { least: number; why: string }> = {
  receiveStripeEvent: { least: 0, why: 'Stripe signs what it sends; a body that was drawn has no signature.' },
  receivePlaidWebhook: { least: 0, why: 'Plaid signs what it sends; a body that was drawn has no signature.' },
  createTransfer: {
    least: 0.12,
    why: 'An account pays for a few transfers only, and not every rail goes with every pair of accounts.'
  },
  simulateTransferEvent: {
    least: 0.12,
    why: 'A transfer takes each step once and in order; most steps that are drawn are not its next one.'
  },
  requestLoan: { least: 0.03, why: 'An agent has one loan at a time, so that of ten requests at once one is granted.' }
}

/** Counts answers by their status, and among those to requests that ought to succeed the ones that did. */
export class Tally {
  readonly statuses = new Map<number, number>()
  private hopeful = 0
  private done = 0

  add(status: number, isHopeful: boolean): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
    if (!isHopeful) return
    this.hopeful += 1
    if (status >= 200 && status < 300) this.done += 1
  }

  include(other: Tally): void {
    for (const [status, count] of other.statuses) this.statuses.set(status, (this.statuses.get(status) ?? 0) + count)
  }

  private get share(): number {
    return this.hopeful === 0 ? 0 : this.done / this.hopeful
  }

  /** Says when fewer requests came through than must; undefined when enough did or too few were sent to tell. */
  shortfallOf(operationId: string): string | undefined {
    const least = exceptions[operationId]?.least ?? leastShare
    if (this.hopeful < leastRequests || this.share >= least) return undefined
    return `${operationId}: ${this.done} of ${this.hopeful} valid requests were carried out, ${(100 * least).toFixed(0)} % must be`
  }

  toString(): string {
    const share = this.hopeful === 0 ? '' : `${(100 * this.share).toFixed(0)} %`.padStart(6)
    return `${share.padEnd(8)}${[...this.statuses]
      .sort(([one], [other]) => one - other)
      .map(([status, count]) => `${status}×${count}`)
      .join(' ')}`
  }
}
