import { weekdayOfDay, yearMonthOfDay } from './civil-date.ts'
import { bestFit, type CadenceFit } from './schedule-fit.ts'
import { type Roll, type Schedule } from './schedule.ts'
import { mean } from './statistics.ts'

/** The days of the month form a circle, on which the last day is next to the first. */
const monthCircleDays = 31
/** A payment can be rolled over the end of a month, and a long weekend. */
const rolledDays = 4

const rolls: readonly Roll[] = [0, -1, 1]

const isMonthEnd = (day: number): boolean => yearMonthOfDay(day + 1).dayOfMonth === 1

/** The observed days of the month near their circular mean, which is folded twice for two payments a month. */
const likelyDaysOfMonth = (days: readonly number[], perMonth: 1 | 2): number[] => {
  const observed = new Set(days.map((day) => yearMonthOfDay(day).dayOfMonth))
  if (days.some((day) => yearMonthOfDay(day + rolledDays).dayOfMonth <= rolledDays)) observed.add(31)
  if (days.some((day) => yearMonthOfDay(day).dayOfMonth <= 3)) observed.add(1)
  const turn = (2 * Math.PI * perMonth) / monthCircleDays
  const angles = days.map((day) => yearMonthOfDay(day).dayOfMonth * turn)
  const centre = Math.atan2(mean(angles.map(Math.sin)), mean(angles.map(Math.cos)))
  const near = (dayOfMonth: number): boolean => Math.cos(dayOfMonth * turn - centre) >= Math.cos(2.6 * turn)
  return [...observed].filter(near).sort((a, b) => a - b)
}

/** The months in which the latest payment can have been due. */
const phasesOf = (days: readonly number[], everyMonths: number): number[] => {
  const last = days.at(-1) ?? 0
  if (everyMonths === 1) return [0]
  return [...new Set([0, -rolledDays, rolledDays].map((shift) => yearMonthOfDay(last + shift).monthIndex))]
}

/** Fits a day of every `everyMonths`th month. The ends of months of different length are one day, the 31st. */
export const fitMonthDays = (days: readonly number[], everyMonths: number): CadenceFit[] => {
  const likely = likelyDaysOfMonth(days, 1)
  const preferred = days.every(isMonthEnd) ? 31 : yearMonthOfDay(days.at(-1) ?? 0).dayOfMonth
  if (everyMonths > 1 || preferred === 31) likely.sort((a, b) => Number(b === preferred) - Number(a === preferred))
  const schedules = phasesOf(days, everyMonths).flatMap((phase) =>
    likely.flatMap((dayOfMonth) =>
      rolls.map((roll): Schedule => ({ kind: 'month-days', everyMonths, phase, daysOfMonth: [dayOfMonth], roll }))
    )
  )
  return bestFit(schedules, days)
}

/** Fits a weekday of every `everyMonths`th month, such as its last Friday. */
export const fitMonthWeekday = (days: readonly number[], everyMonths: number): CadenceFit[] => {
  if (days.length < 3) return []
  const counts = new Array<number>(7).fill(0)
  for (const day of days) counts[weekdayOfDay(day)] = (counts[weekdayOfDay(day)] ?? 0) + 1
  const weekday = counts.indexOf(Math.max(...counts))
  // Only bank holidays move a payment to another weekday.
  if ((counts[weekday] ?? 0) < 0.75 * days.length) return []
  const ordinals = new Set<number>()
  for (const day of days) {
    if (weekdayOfDay(day) !== weekday) continue
    const { dayOfMonth, monthIndex } = yearMonthOfDay(day)
    const isLast = yearMonthOfDay(day + 7).monthIndex !== monthIndex
    ordinals.add(isLast ? -1 : Math.ceil(dayOfMonth / 7))
    if (dayOfMonth <= 28) ordinals.add(Math.ceil(dayOfMonth / 7))
  }
  const schedules = phasesOf(days, everyMonths).flatMap((phase) =>
    [...ordinals]
      .sort((a, b) => a - b)
      .flatMap((ordinal) =>
        rolls.map((roll): Schedule => ({ kind: 'month-weekday', everyMonths, phase, weekday, ordinal, roll }))
      )
  )
  return bestFit(schedules, days)
}

/** Fits two days of every month. */
export const fitSemimonthly = (days: readonly number[]): CadenceFit[] => {
  const observed = likelyDaysOfMonth(days, 2)
  const schedules: Schedule[] = []
  for (const first of observed) {
    for (const second of observed.filter((day) => day - first >= 11 && day - first <= 19)) {
      for (const roll of rolls)
        schedules.push({ kind: 'month-days', everyMonths: 1, phase: 0, daysOfMonth: [first, second], roll })
    }
  }
  return bestFit(schedules, days)
}
