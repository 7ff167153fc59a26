import { defineProblem } from './problem.ts'
import { mostNamed, type FieldError } from './validation.ts'

/** The errors of the protocol and of the shared plugins. Each module defines its own. */
export const validationFailed = defineProblem({
  status: 400,
  code: 'validation_failed',
  meaning: 'The request does not match the specification of the operation.',
  cure: '`errors` lists every invalid field and the reason. Correct them, then retry.'
})
export const malformedRequest = defineProblem({
  status: 400,
  code: 'malformed_request',
  meaning: 'The connection received data that is not a well-formed HTTP request.',
  cure: 'Use an HTTP library. If you do, check whether a proxy modifies the request.'
})
export const malformedJson = defineProblem({
  status: 400,
  code: 'malformed_json',
  meaning: 'The body is not valid JSON.',
  cure: 'Check quotes, commas and brackets, or serialize the body with a JSON library.'
})
export const invalidCursor = defineProblem({
  status: 400,
  code: 'invalid_cursor',
  meaning: 'This list did not issue the cursor.',
  cure: 'Send the cursor of the previous page unchanged, or omit it to start from the first page.'
})
export const unauthorized = defineProblem({
  status: 401,
  code: 'unauthorized',
  meaning: 'The credential is missing, unknown, expired or revoked.',
  cure: 'Send `Authorization: Bearer …` with a valid key or token. An access token expires after 15 minutes: refresh it, or sign in again.'
})
export const productionNotEnabled = defineProblem({
  status: 402,
  code: 'production_not_enabled',
  meaning: 'The credential is live, and its partner is not enabled for production.',
  cure: 'Use a test credential, or ask the operator to enable production for the partner.'
})
export const insufficientScope = defineProblem({
  status: 403,
  code: 'insufficient_scope',
  meaning: 'The token is valid but lacks a scope that the operation requires.',
  cure: '`missingScope` names the scope. Create a token that has it.'
})
export const patIpBlocked = defineProblem({
  status: 403,
  code: 'pat_ip_blocked',
  meaning: 'The token does not allow the IP address of the request.',
  cure: 'Call from an address in the token’s `allowedIps`, or create a token that allows your address.'
})
export const operatorRequired = defineProblem({
  status: 403,
  code: 'operator_required',
  meaning: 'Only an operator of this server can call this operation.',
  cure: 'Sign in as an operator. To make a user an operator, run `npm run operator -- promote <user id>` on the server.'
})
export const credentialNotAccepted = defineProblem({
  status: 403,
  code: 'credential_not_accepted',
  meaning: 'The credential is valid, but the operation does not accept credentials of this kind.',
  cure: '`accepted` lists the accepted kinds. Send a credential of one of them.'
})
export const testCredentialRequired = defineProblem({
  status: 403,
  code: 'test_credential_required',
  meaning: 'A sandbox operation was called with a live credential.',
  cure: 'Use a test credential. Sandbox operations never affect real accounts.'
})
export const notFound = defineProblem({
  status: 404,
  code: 'not_found',
  meaning: 'The path or the resource does not exist, or the resource belongs to another partner.',
  cure: 'Check the path and the id. Use a credential of the partner that owns the resource.'
})
export const methodNotAllowed = defineProblem({
  status: 405,
  code: 'method_not_allowed',
  meaning: 'The path does not support this method.',
  cure: 'The `Allow` header lists the supported methods.'
})
export const requestTimeout = defineProblem({
  status: 408,
  code: 'request_timeout',
  meaning: 'The server did not receive the whole request within a minute. Nothing was done.',
  cure: 'Retry over a faster connection or with a smaller body.'
})
export const idempotencyInFlight = defineProblem({
  status: 409,
  code: 'idempotency_in_flight',
  meaning: 'The first request with this idempotency key is still running.',
  cure: 'Wait `Retry-After` seconds, then retry the same request with the same key.'
})
export const versionConflict = defineProblem({
  status: 409,
  code: 'version_conflict',
  meaning: 'The resource has changed since the version in `If-Match`.',
  cure: 'Read the resource again, reapply your change, and send the current `version`.'
})
export const bodyTooLarge = defineProblem({
  status: 413,
  code: 'body_too_large',
  meaning: 'The body exceeds the size limit of the operation.',
  cure: 'Send less data per request.'
})
export const unsupportedMediaType = defineProblem({
  status: 415,
  code: 'unsupported_media_type',
  meaning: 'The operation does not support the content type of the body.',
  cure: 'Send JSON with `Content-Type: application/json`.'
})
export const expectationFailed = defineProblem({
  status: 417,
  code: 'expectation_failed',
  meaning: 'The server does not support this `Expect` header.',
  cure: 'Omit the header, or send `Expect: 100-continue`.'
})
export const idempotencyConflict = defineProblem({
  status: 422,
  code: 'idempotency_conflict',
  meaning: 'The idempotency key was used for another operation, or for another resource, within the last 24 hours.',
  cure: 'Use a new key, such as a UUID, for each logical operation.'
})
export const rateLimited = defineProblem({
  status: 429,
  code: 'rate_limited',
  meaning: 'The caller has reached the rate limit of the operation.',
  cure: 'Wait `Retry-After` seconds, then retry. The `X-RateLimit-*` headers contain the limit and the remaining requests.'
})
export const headersTooLarge = defineProblem({
  status: 431,
  code: 'headers_too_large',
  meaning: 'The request headers exceed the limit of 16 KiB.',
  cure: 'Send fewer or shorter headers. Accumulated cookies are a common cause.'
})
export const internalError = defineProblem({
  status: 500,
  code: 'internal_error',
  meaning: 'Internal server error.',
  cure: 'Retry with the same idempotency key, so that nothing is done twice. If the error persists, send the request id to the operator.'
})
export const upstreamUnavailable = defineProblem({
  status: 502,
  code: 'upstream_unavailable',
  meaning: 'An upstream service did not respond, despite retries.',
  cure: 'Retry soon with the same idempotency key, so that nothing is done twice.'
})
export const overloaded = defineProblem({
  status: 503,
  code: 'overloaded',
  meaning: 'The server is overloaded and rejected the request before any work began.',
  cure: 'Wait `Retry-After` seconds, then retry. If the error persists, contact the operator.'
})
export const schemaOutdated = defineProblem({
  status: 503,
  code: 'schema_outdated',
  meaning: 'The database lacks tables or columns that this version of the server needs.',
  cure: 'The operator runs `npm run migrate` with the same DATABASE_URL. The server needs no restart.'
})
export const unavailable = defineProblem({
  status: 503,
  code: 'unavailable',
  meaning: 'The server or its database is temporarily unavailable.',
  cure: 'Retry soon with the same idempotency key, so that nothing is done twice.'
})

/** The 401 for a credential that is unknown, expired or revoked. @param detail which kind it is, and how to get a valid one */
export const credentialRefused = (detail: string) =>
  unauthorized(detail, {}, { 'www-authenticate': 'Bearer error="invalid_token"' })

/** How many faults the `detail` of a problem describes. `errors` describes up to `mostNamed`. */
const mostDescribed = 3

/**
 * A `validation_failed` for faulty fields. It names at most `mostNamed` of them, so that a small request cannot cause a large response.
 * @param total how many there are, when `found` has fewer
 */
export const invalidFields = (
  found: FieldError[],
  { total = found.length, whole = 'request', part = 'field' } = {}
) => {
  const errors = found.slice(0, mostNamed)
  const [only] = errors
  if (total === 1 && only?.path === 'body') return validationFailed(`The body ${only.message}.`, { errors })
  const described = errors.slice(0, mostDescribed).map(({ path, message }) => `${path} ${message}`)
  const more = total > described.length ? `; and ${total - described.length} more` : ''
  return validationFailed(
    `The ${whole} has ${total} invalid ${part}${total === 1 ? '' : 's'}: ${described.join('; ')}${more}.`,
    { errors }
  )
}
