export interface Area {
  name: string
  /** The files to mutate. */
  mutate: string[]
  /** The domains that its tests use. The server of a run loads no others, so that it starts fast. */
  domains: string[]
  /** The tests that must fail, without `.test.ts`. Fast tests close to the code come first, because a run stops at the first failure. */
  tests: string[]
}

/** Code that handles money and guarantees. Each area is checked only by its own tests, so that none relies on incidental coverage by others. */
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
