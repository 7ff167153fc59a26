export interface Area {
  name: string
  /** The files that are changed. */
  mutate: string[]
  /** The domains that its tests ask; the server of a run has no others, so that it starts fast. */
  domains: string[]
  /** The tests that are to notice, without `.test.ts`; those that are fast and close to the code first, since the first that fails is the last that runs. */
  tests: string[]
}

/** Where money and promises are at stake. Each area is watched by its own tests alone, so that none rests on what another happens to run over. */
export const areas: Area[] = [
  {
    name: 'ledger',
    mutate: ['plugins/ledger/*.ts'],
    domains: ['health'],
    tests: ['plugins/ledger/book', 'plugins/ledger/verify', 'plugins/ledger/ledger']
  },
  {
    name: 'loans',
    mutate: ['modules/loans/*.ts'],
    domains: ['agents', 'bureau', 'loans'],
    tests: [
      'modules/loans/underwriting',
      'modules/loans/loans',
      'modules/loans/lending-limits',
      'modules/loans/trivial-loans',
      'modules/loans/overdue',
      'modules/loans/overdue-together'
    ]
  },
  {
    name: 'bureau',
    mutate: ['modules/bureau/**/*.ts'],
    domains: ['agents', 'bureau', 'health'],
    tests: [
      'modules/bureau/score',
      'modules/bureau/history',
      'modules/bureau/explanation',
      'modules/bureau/bureau',
      'modules/bureau/reporting',
      'modules/bureau/furnishers',
      'modules/bureau/disputes'
    ]
  },
  {
    name: 'idempotency',
    mutate: ['plugins/operations/idempotency-keys.ts'],
    domains: ['identity'],
    tests: ['plugins/operations/idempotency']
  },
  {
    name: 'calculations',
    mutate: ['modules/calculations/*.ts'],
    domains: ['calculations'],
    tests: ['modules/calculations/safe-to-spend', 'modules/calculations/calculations']
  }
]
