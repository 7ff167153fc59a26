/**
 * How Stryker changes the code in small ways, one at a time, and looks whether a test notices; what is changed and by which tests it is watched is in areas.ts.
 * No kind of change is left out: also texts are changed, though few of them are promises.
 */
export default {
  plugins: ['@stryker-mutator/tap-runner'],
  testRunner: 'tap',
  disableTypeChecks: '**/*.ts',
  coverageAnalysis: 'perTest',
  concurrency: 2,
  // Far longer than any test takes, so that a busy machine does not count as a detected mutant.
  timeoutMS: 60_000,
  timeoutFactor: 2,
  reporters: ['clear-text', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: false },
  tempDirName: '.cache/mutation/sandboxes',
  ignorePatterns: ['.cache', '.atlas', '.ci', 'client', 'coverage', 'dist', 'docs', 'test/golden', 'test/fixtures']
}
