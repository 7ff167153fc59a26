import { parseArgs, type ParseArgsConfig } from 'node:util'

/** Makes stored text safe to print on one line: replaces what a terminal would obey (control characters, line breaks) or use to reorder text. */
export const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\ufffd')

/** The same for text of several lines. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')

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
        process.stderr.write(`${printableLines(error instanceof Error ? error.message : String(error))}\n`)
        process.exitCode = failureCode
      }
    )
}

type Options = NonNullable<ParseArgsConfig['options']>
type Arguments<Given extends Options> = ReturnType<typeof parseArgs<{ options: Given; allowPositionals: true }>>

interface CommandLine<Given extends Options> {
  /** Printed for `--help`. */
  help: string
  options: Given
  allowPositionals?: boolean
  failureCode?: number
}

/** Runs a command with the arguments that it is given, as `runCommand` does; or prints its help. */
export const runWithArguments = <const Given extends Options>(
  { help, options, allowPositionals = false, failureCode = 1 }: CommandLine<Given>,
  main: (values: Arguments<Given>['values'], positionals: string[]) => Promise<number | void> | number | void
): void =>
  runCommand(() => {
    const helpOption = { type: 'boolean', short: 'h' } as const
    const { values, positionals } = parseArgs({ allowPositionals, options: { ...options, help: helpOption } })
    if ('help' in values) return console.log(help.trimEnd())
    return main(values, positionals)
  }, failureCode)
