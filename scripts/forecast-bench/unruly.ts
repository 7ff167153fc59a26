/**
 * Seeded people whose banks are unruly: pay on the last Friday or every four weeks, premiums by the quarter and the year, several
 * contracts with one payee, bills that are paid late, rent and pay of one size, pending transactions that are dated ahead, transfers
 * with changing texts, and banking days. The code shares no formula with the forecast, only date helpers.
 */
import {
  dateOfDay,
  dayOfDate,
  dayOfYearMonth,
  weekdayOfDay,
  yearMonthOfDay
} from '../../modules/insights/civil-date.ts'
import { SeededRandom } from '../seeded-random.ts'
import { bankDay, Diary } from './diary.ts'
import type { BankHistory } from './people.ts'
import { addDailySpending } from './spending.ts'

/** How a source writes the lines of its bank statements. */
export interface Statement {
  employer: string
  landlord: (month: string, reference: string) => string
  insurer: (policy: string) => string
  utility: (month: string) => string
  phone: (reference: string) => string
  club: string
  toSavings: (reference: string) => string
  fromChecking: (reference: string) => string
  months: readonly string[]
}

const lastWeekday = (monthIndex: number, weekday: number): number => {
  const last = dayOfYearMonth(monthIndex + 1, 1) - 1
  return last - ((weekdayOfDay(last) - weekday + 7) % 7)
}

const payDays = (diary: Diary): number[] => {
  const { random, firstDay, lastDay } = diary
  const days: number[] = []
  const kind = random.pick(['last friday', 'four weeks', 'first monday', '25th', 'last bank day'] as const)
  if (kind === 'four weeks') {
    for (let day = firstDay + random.integer(1, 28); day <= lastDay; day += 28) days.push(bankDay(day, -1))
    return days
  }
  diary.monthly(1, (first) => {
    const { monthIndex } = yearMonthOfDay(first)
    if (kind === 'last friday') days.push(bankDay(lastWeekday(monthIndex, 5), -1))
    if (kind === 'first monday') days.push(bankDay(first + ((1 - weekdayOfDay(first) + 7) % 7), 1))
    if (kind === '25th') days.push(bankDay(first + 24, -1))
    if (kind === 'last bank day') days.push(bankDay(dayOfYearMonth(monthIndex + 1, 1) - 1, -1))
  })
  return days.filter((day) => day >= firstDay && day <= lastDay)
}

/** A payment every `months` months, from a month of the first year. */
const everyMonths = (diary: Diary, months: number, dayOfMonth: number, visit: (day: number) => void): void => {
  const start = yearMonthOfDay(diary.firstDay).monthIndex - diary.random.integer(0, months - 1)
  diary.monthly(dayOfMonth, (day) => {
    if ((yearMonthOfDay(day).monthIndex - start) % months === 0) visit(bankDay(day, 1))
  })
}

const addPayAndHome = (diary: Diary, statement: Statement): void => {
  const { random, monthlyIncomeCents } = diary
  const days = payDays(diary)
  // Some pay and rent have one size, and some pay goes to the savings account.
  const rentCents = Math.round((monthlyIncomeCents * random.uniform(0.25, 0.4)) / 500) * 500
  const second = random.chance(0.3)
  const payCents = second ? monthlyIncomeCents - rentCents : monthlyIncomeCents
  const fourWeekly = days.length > 2 && (days[1] ?? 0) - (days[0] ?? 0) === 28 && (days[2] ?? 0) - (days[1] ?? 0) === 28
  for (const day of days) {
    const late = random.chance(0.03) ? 1 : 0
    diary.write(
      bankDay(day + late, 1),
      -payCents * (fourWeekly ? 12 / 13 : 1),
      `${statement.employer} ${random.integer(1000, 9999)}`
    )
  }
  if (second)
    diary.monthly(3, (day) => diary.write(bankDay(day, 1), -rentCents, `SECOND ${statement.employer}`, 'savings'))
  const byHand = random.chance(0.5)
  diary.monthly(random.pick([1, 1, 3, 5, 26, 28]), (day) => {
    const delay = byHand ? random.pick([0, 0, 0, 0, 1, 2, 3, 6, 9]) : 0
    const month = statement.months[yearMonthOfDay(day).monthIndex % 12] ?? ''
    diary.write(bankDay(day, 1) + delay, rentCents, statement.landlord(month, String(random.integer(10_000, 99_999))))
  })
}

const addContracts = (diary: Diary, statement: Statement): void => {
  const { random, monthlyIncomeCents } = diary
  const scale = monthlyIncomeCents / 400_000
  const cents = (low: number, high: number): number => Math.round(random.uniform(low, high) * scale)
  const quarterly = cents(25_000, 70_000)
  if (random.chance(0.8))
    everyMonths(diary, 3, random.pick([15, 28, 31]), (day) => diary.write(day, quarterly, statement.insurer('KFZ')))
  for (const policy of ['HAUS', 'LEBEN']) {
    const yearly = cents(30_000, 120_000)
    if (random.chance(0.6))
      everyMonths(diary, 12, random.integer(1, 28), (day) => diary.write(day, yearly, statement.insurer(policy)))
  }
  const bimonthly = cents(8_000, 20_000)
  everyMonths(diary, random.pick([1, 2]), random.integer(1, 28), (day) => {
    const month = statement.months[yearMonthOfDay(day).monthIndex % 12] ?? ''
    diary.write(day, bimonthly * random.logNormal(0.1), statement.utility(month))
  })
  // Two lines of one phone company, on different days.
  for (const dayOfMonth of [random.integer(2, 10), random.integer(17, 27)]) {
    const price = cents(1_500, 6_000)
    diary.monthly(dayOfMonth, (day) => diary.write(bankDay(day, 1), price, statement.phone(random.code(8))))
  }
  const weeks = random.pick([1, 2, 3, 6])
  const fee = cents(1_500, 5_000)
  for (let day = diary.firstDay + random.integer(0, 7 * weeks); day <= diary.lastDay; day += 7 * weeks)
    diary.write(day, fee, statement.club)
}

const addTransfers = (diary: Diary, statement: Statement): void => {
  const { random, monthlyIncomeCents } = diary
  const asideCents = Math.round((monthlyIncomeCents * random.uniform(0.03, 0.15)) / 1000) * 1000
  diary.monthly(random.integer(1, 28), (day) => {
    const reference = random.code(6)
    diary.write(day, asideCents, statement.toSavings(reference))
    diary.write(day + random.integer(0, 3), -asideCents, statement.fromChecking(reference), 'savings')
  })
}

/** A history of one unruly life, in the words of a country's banks. */
export const unrulyHistory = (seed: number, name: string, statement: Statement): BankHistory => {
  const random = new SeededRandom(seed)
  const lastDay = dayOfDate('2026-03-31') + random.integer(-400, 60)
  const firstDay = lastDay - random.integer(400, 730)
  const monthlyIncomeCents = Math.round(420_000 * random.logNormal(0.35))
  const diary = new Diary(random, firstDay, lastDay, monthlyIncomeCents)
  addPayAndHome(diary, statement)
  addContracts(diary, statement)
  addTransfers(diary, statement)
  addDailySpending(diary)
  const transactions = diary.entries
    .sort((a, b) => a.day - b.day)
    .map(({ day, account, amountCents, description }, index) => {
      // Some bills are shown as pending some days ahead; their bank takes them off the balance at once.
      const isAhead = amountCents > 20_000 && account === 'checking' && random.chance(0.15)
      return {
        transactionId: `u${seed}-${index}`,
        accountId: `${seed}-${account}`,
        date: dateOfDay(day),
        amountCents,
        description,
        pending: isAhead,
        ...(isAhead ? { shownDay: day - random.integer(1, 3) } : {})
      }
    })
  const openingBalanceCents = Math.round(monthlyIncomeCents * random.uniform(0.3, 2))
  return { label: `${name}-${seed}`, transactions, firstDay, lastDay, openingBalanceCents }
}

const english: Statement = {
  employer: 'NORTHWIND PAYROLL PPD ID',
  landlord: (month, reference) => `RENT ${month} ${reference} LAKESIDE COOP`,
  insurer: (policy) => `STATE FARM INSURANCE ${policy}`,
  utility: (month) => `CITY POWER ${month} BILL`,
  phone: (reference) => `VERIZON WIRELESS REF ${reference}`,
  club: 'RIVER CLEANING SVC',
  toSavings: (reference) => `ONLINE TRANSFER TO SAV ${reference}`,
  fromChecking: (reference) => `ONLINE TRANSFER FROM CHK ${reference}`,
  months: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEPT', 'OCT', 'NOV', 'DEC']
}

const german: Statement = {
  employer: 'GEHALT NORDWERK GMBH',
  landlord: (month, reference) => `MIETE ${month} ${reference} HAUSVERWALTUNG KRAUSE`,
  insurer: (policy) => `ALLIANZ VERSICHERUNG ${policy} BEITRAG`,
  utility: (month) => `STADTWERKE ABSCHLAG ${month}`,
  phone: (reference) => `TELEKOM RECHNUNG ${reference}`,
  club: 'PUTZDIENST ELBE',
  toSavings: (reference) => `UMBUCHUNG AUF TAGESGELD ${reference}`,
  fromChecking: (reference) => `UMBUCHUNG VON GIROKONTO ${reference}`,
  months: [
    'JANUAR',
    'FEBRUAR',
    'MÄRZ',
    'APRIL',
    'MAI',
    'JUNI',
    'JULI',
    'AUGUST',
    'SEPTEMBER',
    'OKTOBER',
    'NOVEMBER',
    'DEZEMBER'
  ]
}

const spanish: Statement = {
  employer: 'NOMINA TALLERES SOL',
  landlord: (month, reference) => `ALQUILER ${month} ${reference} GARCIA`,
  insurer: (policy) => `MAPFRE SEGUROS ${policy} RECIBO`,
  utility: (month) => `RECIBO IBERDROLA ${month}`,
  phone: (reference) => `MOVISTAR FACTURA ${reference}`,
  club: 'LIMPIEZA RIO',
  toSavings: (reference) => `TRASPASO A CUENTA PROPIA ${reference}`,
  fromChecking: (reference) => `TRASPASO ${reference}`,
  months: [
    'ENERO',
    'FEBRERO',
    'MARZO',
    'ABRIL',
    'MAYO',
    'JUNIO',
    'JULIO',
    'AGOSTO',
    'SEPTIEMBRE',
    'OCTUBRE',
    'NOVIEMBRE',
    'DICIEMBRE'
  ]
}

export const unrulyPerson = (seed: number): BankHistory => unrulyHistory(seed, 'unruly', english)

/** The same lives with German and Spanish bank statements. */
export const abroadPerson = (seed: number): BankHistory =>
  unrulyHistory(seed, 'abroad', seed % 2 === 0 ? german : spanish)
