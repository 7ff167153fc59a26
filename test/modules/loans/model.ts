import { dayMs } from './world.ts'

interface ModelLoan {
  amount: number
  repaid: number
  status: 'active' | 'repaid' | 'defaulted'
  due: number
  late: boolean
}

export type Outcome = { status: 200; approved?: number; repaid?: number } | { status: 402 | 403 | 409 }

const limits: [number, number][] = [
  [750, 5000],
  [700, 2500],
  [650, 1000],
  [600, 500],
  [550, 200]
]

/** The API reference's rules for one agent, implemented as simply as possible. Amounts are whole credits. */
export class Model {
  readonly loans: ModelLoan[] = []
  readonly open: { id: number; limit: number }[] = []
  balance = 0
  onTime = 0
  late = 0
  missed = 0
  disputes = 0
  openedElsewhere = 0
  debtClosed = 0
  private lastOnTime = -Infinity

  constructor(
    private readonly enrolled: number,
    public now: number
  ) {}

  score(): number {
    const limitSum = this.open.reduce((sum, { limit }) => sum + limit, 0)
    const days = Math.floor((this.now - this.enrolled) / dayMs)
    const good =
      (200 * this.onTime) / (this.onTime + 10) +
      8 * Math.min(5, this.open.length + this.openedElsewhere) +
      60 * Math.min(1, this.debtClosed / Math.max(500, limitSum)) +
      50 * Math.min(1, days / 730)
    const bad = 10 * this.late + 30 * this.missed + 15 * this.disputes
    return Math.round(Math.max(300, Math.min(850, 500 + good - bad)))
  }

  report(kind: string, amount: number): void {
    if (kind === 'payment_ontime') this.onTime++
    if (kind === 'payment_late') this.late++
    if (kind === 'payment_missed') this.missed++
    if (kind === 'dispute') this.disputes++
    if (kind === 'account_opened') this.openedElsewhere++
    if (kind === 'debt_closed') this.debtClosed += amount
  }

  /** Applies lapses, as the job or any access to the loan does. */
  lapse(): void {
    for (const loan of this.loans.filter(({ status }) => status === 'active')) {
      if (this.now > loan.due && !loan.late) {
        loan.late = true
        this.late++
      }
      if (this.now > loan.due + 30 * dayMs) {
        loan.status = 'defaulted'
        this.missed++
      }
    }
  }

  borrow(amount: number): Outcome {
    if (this.loans.some(({ status }) => status !== 'repaid')) return { status: 409 }
    const limit = limits.find(([score]) => this.score() >= score)?.[1]
    if (limit === undefined) return { status: 403 }
    const approved = Math.min(amount, limit)
    this.loans.unshift({ amount: approved, repaid: 0, status: 'active', due: this.now + 30 * dayMs, late: false })
    this.balance += approved
    return { status: 200, approved }
  }

  repay(amount: number): Outcome {
    const [loan] = this.loans
    if (loan === undefined || loan.status === 'repaid') return { status: 409 }
    const repaid = Math.min(amount, loan.amount - loan.repaid)
    if (repaid > this.balance) return { status: 402 }
    this.lapse()
    this.balance -= repaid
    loan.repaid += repaid
    if (loan.repaid === loan.amount) {
      loan.status = 'repaid'
      if (!loan.late && loan.amount >= 50 && this.now - this.lastOnTime >= 30 * dayMs) {
        this.onTime++
        this.lastOnTime = this.now
      }
    }
    return { status: 200, repaid }
  }
}
