import { wordSet, wordsOf } from './words.ts'

/** Words of banks, in English, German and Spanish, that wrap the name of a merchant. */
const wrappingWords = wordSet(
  'ach pos debit credit card purchase payment pymt pmt paymnt bill billpay billpayment edi ppd id web tel ccd des indn co inc llc corp ltd',
  'recurring autopay auto pay online ref reference conf confirmation trace no nr nbr number transaction trn txn invoice inv',
  'month period from to for of com www http https the xx xxx on at q1 q2 q3 q4 quarter',
  'lastschrift basislastschrift sepa einzug dauerauftrag gutschrift uberweisung ueberweisung zahlung kartenzahlung rechnung rechnungsnr',
  'mandat mandatsref mandatsreferenz referenz glaubiger kundennr kundennummer vertragsnr vertragsnummer verwendungszweck eref mref cred svwz',
  'end gmbh ag kg se mbh fur fuer im monat vom und quartal beitrag abschlag uhr datum',
  'recibo domiciliacion adeudo cargo pago pagos compra tarjeta factura num numero mes transferencia referencia mandato sa sl slu sau del de la el en y trimestre cuota fecha'
)

/** Month and weekday names in English, German and Spanish, without accents. German umlauts also occur as `ae`. */
const calendarWords = wordSet(
  'jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july august september october november december',
  'januar jaenner janner februar feber marz maerz mrz mai juni juli oktober okt dezember dez',
  'enero ene febrero marzo abril abr mayo junio julio agosto ago septiembre setiembre set octubre noviembre diciembre dic',
  'monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonntag',
  'lunes martes miercoles jueves viernes sabado domingo'
)

/** A place follows one of these words and a number: `STORE 1234 SEATTLE`. */
const branchWords = wordSet('store shop branch filiale markt tienda sucursal local')
const hasDigit = /\p{N}/u
/** A reference in letters, such as `HKTQZWX`: long, and without a vowel. */
const letterReference = /^[^aeiouy\P{L}]{6,}$/u
const maxNameWords = 4

/** The words before the number of a branch; the place after it varies. All words when there is no branch. */
const withoutPlace = (words: readonly string[]): readonly string[] => {
  const branch = words.findIndex(
    (word, index) => index > 0 && branchWords.has(word) && hasDigit.test(words[index + 1] ?? '')
  )
  return branch < 0 ? words : words.slice(0, branch)
}

/**
 * The stable part of a bank description: lower-case words without digits, references, dates, places of branches and banking terms, in
 * English, German and Spanish. `NETFLIX.COM 866-579` and `Netflix.com 12/03` both become `netflix`; `MIETE MÄRZ 2026` becomes `miete`.
 * When nothing is left, all words without digits are kept.
 */
export const merchantName = (description: string): string => {
  const numbered = description.replace(/^(.*?\p{L}.*?)\s#\s?\d+\b.*$/su, '$1')
  const words = withoutPlace(wordsOf(numbered)).filter((word) => !hasDigit.test(word))
  const significant = words.filter(
    (word) => !wrappingWords.has(word) && !calendarWords.has(word) && !letterReference.test(word)
  )
  const kept = significant.length > 0 ? significant : words
  return kept.slice(0, maxNameWords).join(' ') || description.trim().toLowerCase()
}
