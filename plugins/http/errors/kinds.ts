import { defineProblem } from './problem.ts'
import type { FieldError } from './validation.ts'

/** The errors that belong to no domain: those of the protocol and of the shared plugins. */
export const validationFailed = defineProblem({
  status: 400,
  code: 'validation_failed',
  meaning: 'The request is not as the specification of the operation wants it.',
  cure: 'Look at `errors`: it names every field that failed and says why. Correct them all and send the request again.'
})
export const malformedRequest = defineProblem({
  status: 400,
  code: 'malformed_request',
  meaning: 'What arrived on the connection is not a well-formed HTTP request.',
  cure: 'Send it with an HTTP library. Where one was used, look at what a proxy on the way makes of the request.'
})
export const malformedJson = defineProblem({
  status: 400,
  code: 'malformed_json',
  meaning: 'The body is not valid JSON.',
  cure: 'Check quotes, commas and brackets; most languages have a function that writes JSON for you.'
})
export const invalidCursor = defineProblem({
  status: 400,
  code: 'invalid_cursor',
  meaning: 'The cursor is not one that this list gave out.',
  cure: 'Pass on the cursor of the previous page unchanged, or leave it out to begin anew.'
})
export const unauthorized = defineProblem({
  status: 401,
  code: 'unauthorized',
  meaning: 'The credential is missing, unknown, expired or revoked.',
  cure: 'Send `Authorization: Bearer …` with a valid key or token. An access token lives for 15 minutes: refresh it, or sign in again.'
})
export const productionNotEnabled = defineProblem({
  status: 402,
  code: 'production_not_enabled',
  meaning: 'A live credential was used, and its partner is not enabled for production.',
  cure: 'Use a test credential, or ask the operator of this server to enable production for the partner.'
})
export const insufficientScope = defineProblem({
  status: 403,
  code: 'insufficient_scope',
  meaning: 'The token is valid and lacks a scope that the operation needs.',
  cure: '`missingScope` names it. Mint a token that has it.'
})
export const patIpBlocked = defineProblem({
  status: 403,
  code: 'pat_ip_blocked',
  meaning: 'The token is bound to addresses, and the request came from another one.',
  cure: 'Call from an address in the token’s `allowedIps`, or mint a token with the right ones.'
})
export const operatorRequired = defineProblem({
  status: 403,
  code: 'operator_required',
  meaning: 'Only an operator of this server may do this.',
  cure: 'Sign in as an operator. On the server, `npm run operator -- promote <email>` makes one.'
})
export const credentialNotAccepted = defineProblem({
  status: 403,
  code: 'credential_not_accepted',
  meaning: 'The credential is valid, and this operation takes another kind.',
  cure: 'The reference says under Authorization which kinds the operation takes.'
})
export const testCredentialRequired = defineProblem({
  status: 403,
  code: 'test_credential_required',
  meaning: 'A sandbox operation was called with a live credential.',
  cure: 'Use a test key; sandbox operations never touch real accounts.'
})
export const notFound = defineProblem({
  status: 404,
  code: 'not_found',
  meaning: 'There is no such thing, or it belongs to somebody else.',
  cure: 'Check the path and the identifier, and that the credential belongs to the partner that owns the thing.'
})
export const methodNotAllowed = defineProblem({
  status: 405,
  code: 'method_not_allowed',
  meaning: 'The path exists and does not know this method.',
  cure: 'The `Allow` header names the methods that it knows.'
})
export const requestTimeout = defineProblem({
  status: 408,
  code: 'request_timeout',
  meaning: 'The request did not arrive whole within a minute; nothing of it was done.',
  cure: 'Send it again, faster or in smaller parts.'
})
export const idempotencyInFlight = defineProblem({
  status: 409,
  code: 'idempotency_in_flight',
  meaning: 'The first request with this idempotency key is still running.',
  cure: 'Wait for as long as `Retry-After` says and send the same request with the same key again.'
})
export const versionConflict = defineProblem({
  status: 409,
  code: 'version_conflict',
  meaning: 'The thing has changed since the version that `If-Match` names.',
  cure: 'Read it again, apply your change to what it is now, and send its current `version`.'
})
export const bodyTooLarge = defineProblem({
  status: 413,
  code: 'body_too_large',
  meaning: 'The body is larger than this server reads.',
  cure: 'Send less at a time.'
})
export const unsupportedMediaType = defineProblem({
  status: 415,
  code: 'unsupported_media_type',
  meaning: 'The operation does not read bodies of this content type.',
  cure: 'Send JSON with `Content-Type: application/json`.'
})
export const expectationFailed = defineProblem({
  status: 417,
  code: 'expectation_failed',
  meaning: 'The `Expect` header asks for something that this server does not do.',
  cure: 'Leave the header out, or send `Expect: 100-continue`.'
})
export const idempotencyConflict = defineProblem({
  status: 422,
  code: 'idempotency_conflict',
  meaning: 'The idempotency key was used for another operation within the last 24 hours.',
  cure: 'Make a new key for each logical operation; a UUID is a good one.'
})
export const rateLimited = defineProblem({
  status: 429,
  code: 'rate_limited',
  meaning: 'Too many requests in too short a time.',
  cure: 'Wait for as long as `Retry-After` says. The `X-RateLimit-*` headers tell how much is left.'
})
export const headersTooLarge = defineProblem({
  status: 431,
  code: 'headers_too_large',
  meaning: 'The headers of the request are larger than this server reads.',
  cure: 'Send fewer or shorter headers; 16 KiB are read. Often it is cookies that have piled up.'
})
export const internalError = defineProblem({
  status: 500,
  code: 'internal_error',
  meaning: 'Something went wrong on our side.',
  cure: 'Try again with the same idempotency key; nothing is done twice. If it stays, quote the request id to the operator.'
})
export const upstreamUnavailable = defineProblem({
  status: 502,
  code: 'upstream_unavailable',
  meaning: 'A service behind this one did not answer, also not when it was asked again.',
  cure: 'Try again soon with the same idempotency key; nothing is done twice.'
})
export const overloaded = defineProblem({
  status: 503,
  code: 'overloaded',
  meaning: 'The server has more to do than it can, and refused the request before it began.',
  cure: 'Wait for as long as `Retry-After` says and send the same request again. If it stays, tell the operator.'
})
export const unavailable = defineProblem({
  status: 503,
  code: 'unavailable',
  meaning: 'The server cannot answer at the moment.',
  cure: 'Try again soon; a request with an idempotency key is never done twice.'
})

/** The 401 of a credential that does not hold, or not any more. */
export const credentialRefused = () =>
  unauthorized(
    'The credential is unknown, expired or revoked. Mint a new one, or sign in again.',
    {},
    { 'www-authenticate': 'Bearer error="invalid_token"' }
  )

/** A `validation_failed` that lists faults which the schema of an operation cannot express. */
export const invalidFields = (errors: FieldError[]) =>
  validationFailed(
    `The request has ${errors.length} invalid field${errors.length === 1 ? '' : 's'}: ${errors.map(({ path }) => path).join(', ')}.`,
    { errors }
  )
