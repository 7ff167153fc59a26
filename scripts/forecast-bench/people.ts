/**
 * Seeded people with bank histories, to measure the cash-flow forecast. The model simulates lives (job changes, late meter readings, holidays, moves) and
 * shares no formula with the forecast, only a date helper.
 */
import { dateOfDay, dayOfDate, weekdayOfDay } from '../../modules/insights/civil-date.ts'
import { SeededRandom } from '../seeded-random.ts'
import { bankDay, Diary } from './diary.ts'
import { addEverydayLife } from './spending.ts'

/** Has the structure of the forecast's transaction. Positive amounts leave the account. */
export interface HistoryTransaction {
  transactionId: string
  accountId: string
  date: string
  amountCents: number
  description: string
  pending: boolean
  category?: string | null
  /** The day from which the bank shows it, when that is not its date. */
  shownDay?: number
}

export interface BankHistory {
  label: string
  transactions: HistoryTransaction[]
  firstDay: number
  lastDay: number
  openingBalanceCents: number
}

/** A source of histories: synthetic people, the simulator, or an export. */
export type HistorySource = (seed: number) => BankHistory | Promise<BankHistory>

export type PaySchedule = 'monthly' | 'semimonthly' | 'biweekly' | 'weekly' | 'pension'

/** Nominal paydays. Payroll moves them off weekends and holidays. */
const payDays = (diary: Diary, schedule: PaySchedule, from: number, until: number): number[] => {
  const { random } = diary
  const days: number[] = []
  if (schedule === 'monthly')
    diary.monthly(random.pick([1, 15, 25, 28, 31]), (day) => days.push(bankDay(day, -1)), from, until)
  if (schedule === 'semimonthly') {
    const [first, second] = random.pick<[number, number]>([
      [15, 31],
      [1, 15],
      [5, 20],
      [7, 22]
    ])
    for (const dayOfMonth of [first, second])
      diary.monthly(dayOfMonth, (day) => days.push(bankDay(day, -1)), from, until)
  }
  if (schedule === 'pension') {
    const nthWednesday = random.integer(2, 4)
    diary.monthly(
      1,
      (first) => {
        const untilWednesday = (3 - weekdayOfDay(first) + 7) % 7
        days.push(bankDay(first + untilWednesday + 7 * (nthWednesday - 1), -1))
      },
      from - 31,
      until
    )
  }
  if (schedule === 'biweekly' || schedule === 'weekly') {
    const period = schedule === 'weekly' ? 7 : 14
    let day = from + random.integer(1, period)
    while (weekdayOfDay(day) !== (random.seed % 3 === 0 ? 4 : 5)) day++
    for (; day <= until; day += period) days.push(bankDay(day, -1))
  }
  return days.filter((day) => day >= from && day <= until).sort((a, b) => a - b)
}

const paysPerYear: Record<PaySchedule, number> = {
  monthly: 12,
  semimonthly: 24,
  biweekly: 26,
  weekly: 52,
  pension: 12
}
const employers = [
  'ACME LOGISTICS',
  'NORTHWIND TRADERS',
  'COUNTY SCHOOL DIST',
  'GLOBEX CORP',
  'MERCY HOSPITAL',
  'INITECH LLC',
  'STATE OF OHIO'
]

/** One job: pay with overtime, a raise, a possible bonus, and occasional deposits that are a day late. */
const addJob = (diary: Diary, schedule: PaySchedule, monthlyCents: number, from: number, until: number): void => {
  const { random } = diary
  const employer = schedule === 'pension' ? 'SSA TREAS 310 XXSOC SEC' : random.pick(employers)
  const hourly = schedule === 'weekly' || (schedule === 'biweekly' && random.chance(0.4))
  const wobble = hourly ? random.uniform(0.03, 0.12) : random.chance(0.3) ? 0.01 : 0
  const raiseDay = from + random.integer(60, 600)
  const raise = 1 + random.uniform(0.02, 0.08)
  const bonusMonth = schedule !== 'pension' && random.chance(0.25) ? random.pick([3, 12]) : 0
  let bonusYear = ''
  for (const day of payDays(diary, schedule, from, until)) {
    const base = ((monthlyCents * 12) / paysPerYear[schedule]) * (day >= raiseDay ? raise : 1)
    const date = dateOfDay(day)
    let payCents = base * Math.max(0.4, 1 + wobble * random.normal())
    if (Number(date.slice(5, 7)) === bonusMonth && bonusYear !== date.slice(0, 4)) {
      bonusYear = date.slice(0, 4)
      payCents += base * random.uniform(0.3, 1.2)
    }
    const posted = random.chance(0.03) ? bankDay(day + 1, 1) : day
    diary.write(
      posted,
      -payCents,
      `${employer} ${schedule === 'pension' ? '' : 'PAYROLL '}PPD ID: ${random.integer(1000, 9999)}`
    )
  }
}

/** A career: one job, or one that ends, a gap, and the next one. */
const addCareer = (diary: Diary, schedule: PaySchedule): void => {
  const { random, firstDay, lastDay, monthlyIncomeCents } = diary
  if (schedule === 'pension' || random.chance(0.7))
    return addJob(diary, schedule, monthlyIncomeCents, firstDay, lastDay)
  const change = random.integer(firstDay + 40, lastDay)
  addJob(diary, schedule, monthlyIncomeCents, firstDay, change)
  const next = random.chance(0.6) ? schedule : random.pick<PaySchedule>(['biweekly', 'semimonthly', 'monthly'])
  addJob(diary, next, monthlyIncomeCents * random.uniform(0.85, 1.25), change + random.integer(0, 40), lastDay)
}

/** Gig income: irregular weekly payouts, cash-outs, and clients who pay late. */
const addGigWork = (diary: Diary, monthlyCents: number): void => {
  const { random, firstDay, lastDay } = diary
  const rides = random.uniform(0, 0.6)
  const invoices = random.uniform(0, 1 - rides)
  const cashOuts = 1 - rides - invoices
  let effort = 1
  for (let day = firstDay; day <= lastDay; day++) {
    // Busy and slow periods: weekly effort is a random walk.
    effort = Math.min(1.8, Math.max(0.3, effort + 0.04 * random.normal() + 0.01 * (1 - effort)))
    if (weekdayOfDay(day) === 2 && random.chance(0.92)) {
      diary.write(
        day,
        -(monthlyCents / 4.35) * rides * effort * random.logNormal(0.3),
        `UBER ${random.integer(10000, 99999)} EDI PAYMNT`
      )
    }
    if (random.chance(1 / 19))
      diary.write(
        bankDay(day, 1),
        -monthlyCents * (19 / 30.4) * invoices * random.logNormal(0.6),
        `STRIPE TRANSFER ST-${random.code(8)}`
      )
    if (random.chance(0.25))
      diary.write(
        day,
        -(monthlyCents / 30.4 / 0.25) * cashOuts * effort * random.logNormal(0.5),
        `DOORDASH INC DASHER ${random.code(6)}`
      )
  }
}

const lives = ['monthly', 'biweekly', 'semimonthly', 'gig', 'weekly', 'biweekly+gig', 'pension'] as const

/** One person's history between two days, determined by the seed. */
export const syntheticPerson = (seed: number): BankHistory => {
  const random = new SeededRandom(seed)
  const life = lives[seed % lives.length] ?? 'monthly'
  const lastDay = dayOfDate('2025-12-31') + random.integer(-400, 120)
  const firstDay = lastDay - random.integer(150, 760)
  const monthlyIncomeCents = Math.round(430_000 * random.logNormal(0.4) * (life === 'pension' ? 0.6 : 1))
  const diary = new Diary(random, firstDay, lastDay, monthlyIncomeCents)
  if (life === 'gig') addGigWork(diary, monthlyIncomeCents)
  else if (life === 'biweekly+gig') {
    addCareer(diary, 'biweekly')
    addGigWork(diary, monthlyIncomeCents * 0.2)
  } else addCareer(diary, life)
  addEverydayLife(diary)
  const transactions = diary.entries
    .sort((a, b) => a.day - b.day)
    .map((entry, index) => ({
      transactionId: `t${seed}-${index}`,
      accountId: `${seed}-${entry.account}`,
      date: dateOfDay(entry.day),
      amountCents: entry.amountCents,
      description: entry.description,
      pending: entry.day >= lastDay - 1
    }))
  return {
    label: `${life}-${seed}`,
    transactions,
    firstDay,
    lastDay,
    openingBalanceCents: Math.round(monthlyIncomeCents * random.uniform(0.3, 2.5))
  }
}
