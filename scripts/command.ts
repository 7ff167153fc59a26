/**
 * Runs a command. The exit code is the number that `main` returns, if any. When `main` throws, prints the message and sets the exit code to `failureCode`.
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
