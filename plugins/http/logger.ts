import type { FastifyServerOptions } from 'fastify'
import type { Config } from '../config/index.ts'

/** Structured logs, or none at all. Of a request only method, path and origin are written: queries, headers and bodies can hold secrets. */
export const loggerOptions = (
  config: Config,
  stream?: { write(line: string): void }
): FastifyServerOptions['logger'] => {
  // A silent logger would still make one of its own for each request.
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
      // An error of an HTTP client carries its whole request, credentials included; only what tells the fault is kept.
      err: (error: Error & { code?: string }) => ({
        type: error.name,
        message: error.message,
        code: error.code,
        stack: error.stack ?? ''
      })
    }
  }
}
