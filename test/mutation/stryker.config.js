/** Changes the code in small ways, one at a time, and looks whether a test notices. Where money and promises are at stake, most changes must be noticed. */
export default {
  plugins: ['@stryker-mutator/tap-runner'],
  testRunner: 'tap',
  tap: {
    testFiles: [
      'test/modules/calculations/*.test.ts',
      'test/modules/bureau/*.test.ts',
      'test/modules/loans/*.test.ts',
      'test/plugins/ledger/*.test.ts',
      'test/plugins/idempotency.test.ts'
    ],
    nodeArgs: ['--import', 'tsx', '--test-reporter', 'tap'],
    forceBail: true
  },
  mutate: [
    'modules/calculations/safe-to-spend.ts',
    'modules/bureau/score.ts',
    'modules/loans/underwriting.ts',
    'modules/loans/schedule.ts',
    'modules/loans/lending.ts',
    'plugins/ledger/book.ts',
    'plugins/ledger/verify.ts',
    'plugins/idempotency.ts'
  ],
  coverageAnalysis: 'perTest',
  concurrency: 2,
  timeoutMS: 30_000,
  reporters: ['clear-text', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  thresholds: { high: 90, low: 80, break: 80 },
  tempDirName: '.cache/mutation',
  ignorePatterns: ['.cache', '.atlas', 'dist', 'coverage', 'docs'],
  allowEmpty: false
}
