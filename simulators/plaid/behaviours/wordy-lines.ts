import { calendarOf, dayOf } from '../history/days.ts'
import { biller, postedPayment } from '../history/payments.ts'
import { createSeededRandom } from '../random.ts'
import type { Behaviour } from './behaviour.ts'

export type Language = 'en' | 'de' | 'es'

const months: Record<Language, string[]> = {
  en: 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' '),
  de: 'Januar Februar März April Mai Juni Juli August September Oktober November Dezember'.split(' '),
  es: 'enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre'.split(' ')
}

type Words = (month: string, year: number, number: number) => string

const rent: Record<Language, Words> = {
  en: (month, year, number) => `RENT ${month} ${year} REF ${number}`,
  de: (month, year, number) => `Miete ${month} ${year} Mandat ${number} Danke`,
  es: (month, year, number) => `RECIBO ALQUILER ${month} ${year} N.º ${number}`
}

const fee: Record<Language, Words> = {
  en: (month, year, number) => `MEMBERSHIP FEE ${number}/${year} ${month}`,
  de: (month, year, number) => `Beitrag ${month}/${year} RNr. ${number} Größe XL`,
  es: (month, year, number) => `CUOTA ${number} GIMNASIO ${month} ${year}`
}

const landlord = biller('Old Town Lettings', 'RENT', 'RENT_AND_UTILITIES', 'RENT')
const club = biller('Riverside Sports Club', 'FEE', 'PERSONAL_CARE', 'GYMS_AND_FITNESS_CENTERS')

/** Monthly payments whose description has the month and a number that changes, without a merchant's name, in one language. */
export const wordyLines = (language: Language): Behaviour => ({
  name: `wordy lines in ${language}`,
  lives(seed, day) {
    const random = createSeededRandom(`${seed}|wordy lines ${language}`)
    const { year, month, dayOfMonth } = calendarOf(day)
    const number = createSeededRandom(`${seed}|wordy lines ${language}|${dayOf(day)}|${day}`).whole(1_000, 999_999)
    return (
      [
        ['rent', landlord, rent],
        ['fee', club, fee]
      ] as const
    ).flatMap(([name, merchant, words]) => {
      const due = random.whole(1, 28)
      const amount = random.whole(2_500, 90_000)
      if (dayOfMonth !== due) return []
      const line = words[language](months[language][month - 1] ?? '', year, number)
      // A bank's own counterparty has no merchant name on the wire.
      const nameless = { ...merchant, counterparty: 'financial_institution' as const }
      return [postedPayment(`wordy-${language}-${name}-${day}`, '0000', nameless, amount, day, { line })]
    })
  }
})
