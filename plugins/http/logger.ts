import type { FastifyServerOptions } from 'fastify'
import type { Config } from '../config/index.ts'

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
