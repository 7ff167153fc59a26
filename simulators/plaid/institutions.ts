import { behaviours, type Behaviour } from './behaviours/index.ts'

/** A bank of Plaid's sandbox, with the routing numbers of Plaid's documentation. */
export interface Institution {
  institution_id: string
  name: string
  country_codes: string[]
  routing_numbers: string[]
  oauth: boolean
  products: string[]
  /** How it differs from a polite bank. */
  behaviours: Behaviour[]
  currency: string
}

const products = [
  'assets',
  'auth',
  'balance',
  'transactions',
  'identity',
  'investments',
  'liabilities',
  'transfer',
  'recurring_transactions',
  'signal',
  'statements'
]

const bank = (
  id: string,
  name: string,
  routing: string[],
  country = 'US',
  more: { behaviours?: Behaviour[]; currency?: string } = {}
): Institution => ({
  institution_id: id,
  name,
  country_codes: [country],
  routing_numbers: routing,
  oauth: false,
  products,
  behaviours: more.behaviours ?? [],
  currency: more.currency ?? 'USD'
})

const {
  balanceAgeRule,
  persistentIds,
  oddRecords,
  slowHistory,
  refusedCursors,
  vanishingAccount,
  moreAccounts,
  allSubtypes,
  currencies,
  noLiveBalance,
  noAvailable,
  expiringConsent,
  ...ofHistories
} = behaviours
const { germanLines, spanishLines, englishLines, veryOldBalances: _, ...payments } = ofHistories

const unrulyRouting = ['110000000']

/** Banks that do what real ones do; spec/linking.yaml lists them for callers. */
const unruly: Institution[] = [
  bank('ins_127287', 'Platypus OAuth Bank', unrulyRouting, 'US', { behaviours: [persistentIds] }),
  bank('ins_128026', 'Capital Platypus', unrulyRouting, 'US', { behaviours: [balanceAgeRule] }),
  bank('ins_900001', 'Unruly Bank', unrulyRouting, 'US', { behaviours: [...Object.values(payments), englishLines] }),
  bank('ins_900002', 'Launenbank', unrulyRouting, 'DE', {
    behaviours: [...Object.values(payments), germanLines, noAvailable, expiringConsent],
    currency: 'EUR'
  }),
  bank('ins_900003', 'Banco Caprichoso', unrulyRouting, 'ES', {
    behaviours: [...Object.values(payments), spanishLines, noLiveBalance],
    currency: 'EUR'
  }),
  bank('ins_900004', 'Bank of Many Pockets', unrulyRouting, 'US', { behaviours: [allSubtypes, currencies] }),
  bank('ins_900005', 'Slow Bank', unrulyRouting, 'US', { behaviours: [slowHistory] }),
  bank('ins_900006', 'Forgetful Bank', unrulyRouting, 'US', {
    behaviours: [refusedCursors, vanishingAccount, moreAccounts]
  }),
  bank('ins_900007', 'Broken Bank', unrulyRouting, 'US', { behaviours: [oddRecords] })
]

const institutions = new Map<string, Institution>(
  [
    bank('ins_109508', 'First Platypus Bank', ['110000000', '011401533']),
    bank('ins_109509', 'First Gingham Credit Union', ['110000000', '011401533']),
    bank('ins_109510', 'Tattersall Federal Credit Union', ['110000000', '011401533']),
    bank('ins_109511', 'Tartan Bank', ['110000000', '011401533']),
    bank('ins_109512', 'Houndstooth Bank', ['110000000', '011000138', '011200365', '011400495']),
    bank('ins_43', 'Tartan-Dominion Bank of Canada', ['021001486'], 'CA', { currency: 'CAD' }),
    ...unruly
  ].map((institution) => [institution.institution_id, institution])
)

export const findInstitution = (id: string | null): Institution | undefined =>
  id === null ? undefined : institutions.get(id)

/** Opens a bank with behaviours of one's own in this process, for tests. The name must be new. */
export const openBank = (name: string, own: Behaviour[]): string => {
  const id = `ins_${name}`
  institutions.set(id, bank(id, name, unrulyRouting, 'US', { behaviours: own }))
  return id
}

/** The institution in the examples of Plaid's sandbox documentation. */
export const defaultInstitutionId = 'ins_109508'

/** The institution object of /institutions/get_by_id. */
export const institutionBody = (
  institution: Institution,
  options: { include_optional_metadata?: boolean; include_status?: boolean; include_auth_metadata?: boolean },
  now: Date
) => {
  const healthy = {
    status: 'HEALTHY',
    last_status_change: new Date(Math.floor(now.getTime() / 86_400_000) * 86_400_000).toISOString(),
    breakdown: { success: 0.99, error_plaid: 0.005, error_institution: 0.005 }
  }
  const { behaviours: _behaviours, currency: _currency, ...published } = institution
  return {
    ...published,
    ...(options.include_optional_metadata === true
      ? { url: 'https://plaid.com', primary_color: '#1f1f1f', logo: null }
      : {}),
    ...(options.include_status === true
      ? {
          status: {
            item_logins: healthy,
            auth: healthy,
            identity: healthy,
            transactions_updates: { ...healthy, breakdown: { ...healthy.breakdown, refresh_interval: 'NORMAL' } }
          }
        }
      : {}),
    ...(options.include_auth_metadata === true
      ? {
          auth_metadata: {
            supported_methods: {
              instant_auth: true,
              instant_match: true,
              automated_micro_deposits: true,
              instant_micro_deposits: true
            }
          }
        }
      : {})
  }
}
