import { wordSet, wordsOf } from './words.ts'

/** What a bank transaction says about itself, by its category and its words. */
export interface Labelled {
  description: string
  /** The bank's own text, when `description` is the merchant's name. */
  bankText?: string | undefined
  /** Plaid's personal finance category, primary or detailed. */
  category?: string | null | undefined
}

const billCategories = ['RENT_AND_UTILITIES', 'LOAN_PAYMENTS', 'GENERAL_SERVICES_INSURANCE', 'INSURANCE']
/** Words of rent, loans, utilities, insurance, contracts and memberships in English, German and Spanish. */
const billWords = wordSet(
  'rent rental rentals lease landlord mortgage mtg loan hoa property realty apartments housing tenant',
  'insurance insur ins insurer assurance premium policy geico allstate statefarm allianz mapfre axa usaa metlife',
  'electric electricity energy utility utilities util gas water sewer power internet wireless mobile phone broadband',
  'subscription membership annual yearly dues tuition daycare tax taxes',
  'miete kaltmiete warmmiete pacht kredit darlehen rate versicherung versicherungen pramie praemie strom stadtwerke wasser telefon rundfunk',
  'mitgliedsbeitrag jahresbeitrag abo abonnement kfz steuer hausgeld',
  'alquiler renta hipoteca prestamo seguro seguros prima poliza luz agua electricidad telefono suscripcion comunidad impuesto'
)
const incomeWords = wordSet(
  'payroll salary wages pension paycheck payslip treas socsec benefits',
  'gehalt lohn bezuge bezuege rente besoldung sueldo nomina salario'
)

const hasWord = ({ description, bankText }: Labelled, known: ReadonlySet<string>): boolean =>
  wordsOf(`${description} ${bankText ?? ''}`).some((word) => known.has(word))

const hasCategory = ({ category }: Labelled, starts: readonly string[]): boolean =>
  typeof category === 'string' && starts.some((start) => category.startsWith(start))

/** Rent, a loan, a utility, insurance or a membership, which recur by contract. */
export const isKnownBill = (transaction: Labelled): boolean =>
  hasCategory(transaction, billCategories) || hasWord(transaction, billWords)

/** Pay or a pension. */
export const isKnownIncome = (transaction: Labelled): boolean =>
  hasCategory(transaction, ['INCOME']) || hasWord(transaction, incomeWords)

/** Words that name another account of the same person. */
const ownAccountTexts =
  /\b(umbuchung|traspaso|own account|between accounts|internal transfer|account transfer|cuenta propia|eigenes konto)\b|\b(to|from|zu|von|auf|a|de) (my )?(sav|savings|chk|checking|chq|tagesgeld|sparkonto|girokonto|ahorro|ahorros)\b/
const transferWords = wordSet(
  'transfer transfers xfer trf tfr umbuchung ubertrag uebertrag uberweisung ueberweisung transferencia traspaso bizum zelle venmo withdrawal deposit'
)

/**
 * How surely a transaction is one side of a transfer between a person's own accounts, by its category and words alone:
 * `own` says so, `transfer` could be, `unknown` says nothing, and `other` says that it is something else, such as pay or rent.
 */
export const transferClaim = (transaction: Labelled): 'own' | 'transfer' | 'unknown' | 'other' => {
  const { category } = transaction
  const isTransfer = hasCategory(transaction, ['TRANSFER_IN', 'TRANSFER_OUT'])
  if (typeof category === 'string' && category !== '' && !isTransfer && category !== 'OTHER') return 'other'
  if (!isTransfer && (isKnownIncome(transaction) || isKnownBill(transaction))) return 'other'
  if (/^TRANSFER_(IN|OUT)_(ACCOUNT_TRANSFER|SAVINGS)$/.test(category ?? '')) return 'own'
  const words = wordsOf(`${transaction.description} ${transaction.bankText ?? ''}`)
  if (ownAccountTexts.test(words.join(' '))) return 'own'
  return isTransfer || words.some((word) => transferWords.has(word)) ? 'transfer' : 'unknown'
}
