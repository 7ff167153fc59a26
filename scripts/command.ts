/**
 * Runs a command to its end. It ends the process with the number that `main` answers, if any; what `main` throws is told in one sentence and ends
 * it with `failureCode`.
 */
export const runCommand = (main: () => Promise<number | void> | number | void, failureCode = 1): void => {
  Promise.resolve()
    .then(main)
    .then(
      (code) => {
        if (typeof code === 'number') process.exitCode = code
      },
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
        process.exitCode = failureCode
      }
    )
}
