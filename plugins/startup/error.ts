/** The server cannot start. The message says why and what to do, so that it is printed without a stack trace. */
export class StartupError extends Error {}

/** The message of an error, with its code. Of an AggregateError, which has no message, the first error. */
export const wordsOf = (error: unknown): string => {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error]
  if (!(first instanceof Error)) return String(first)
  const code = 'code' in first && typeof first.code === 'string' ? first.code : ''
  return code === '' || first.message.includes(code) ? first.message : `${first.message} (${code})`
}
