import type { FastifyServerOptions } from 'fastify'
import type { Config } from '../config/index.ts'

const windowMs = 10_000
const mostAlike = 20
const mostMessages = 1_000
const warnLevel = 40

/**
 * Leaves out warnings and errors above 20 with the same message in ten seconds, so that a failure of every request does not fill the disk. The next line
 * with the message says how many were left out.
 */
const sampler = () => {
  const windows = new Map<string, { since: number; lines: number }>()
  return function (this: unknown, args: unknown[], log: (...args: unknown[]) => void, level: number): void {
    if (level < warnLevel) return log.apply(this, args)
    const message = String(args.find((part) => typeof part === 'string'))
    const now = performance.now()
    const known = windows.get(message)
    if (known !== undefined && now - known.since < windowMs) {
      known.lines += 1
      if (known.lines <= mostAlike) log.apply(this, args)
      return
    }
    if (windows.size >= mostMessages) windows.clear()
    windows.set(message, { since: now, lines: 1 })
    const omitted = Math.max(0, (known?.lines ?? 0) - mostAlike)
    const [first, ...rest] = args
    if (omitted > 0 && typeof first === 'object') log.apply(this, [{ ...first, omitted }, ...rest])
    else log.apply(this, omitted > 0 ? [{ omitted }, ...args] : args)
  }
}

/** Options for structured logs, or none. Logs only the method, path and address of a request: queries, headers and bodies can contain secrets. */
export const loggerOptions = (
  config: Config,
  stream?: { write(line: string): void }
): FastifyServerOptions['logger'] => {
  // A silent logger would still create a child logger for each request.
  if (config.logLevel === 'silent') return false
  return {
    ...(stream === undefined ? {} : { stream }),
    level: config.logLevel,
    hooks: { logMethod: sampler() },
    redact: {
      paths: [
        '*.authorization',
        '*.cookie',
        '*["x-api-key"]',
        '*["x-atlas-ingest-secret"]',
        '*.secret',
        '*.password',
        '*.access_token'
      ],
      censor: '[secret]'
    },
    serializers: {
      req: (request: { method: string; url: string; ip?: string }) => ({
        method: request.method,
        path: request.url.split('?', 1)[0],
        ip: request.ip
      }),
      // An error of an HTTP client contains its request with credentials, so only these fields are logged.
      err: (error: Error & { code?: string }) => ({
        type: error.name,
        message: error.message,
        code: error.code,
        stack: error.stack ?? ''
      })
    }
  }
}
