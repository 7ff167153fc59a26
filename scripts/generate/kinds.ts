import type { OperationObject } from './model.ts'

/** Whether at least one alternative of the operation requires a credential. */
export const isSecured = ({ security }: OperationObject): boolean =>
  security.some((alternative) => Object.keys(alternative).length > 0)

/** Whether the operation changes nothing: a GET, or a POST marked `x-read-only`. */
export const isReadOnly = (method: string, operation: OperationObject): boolean =>
  method === 'get' || operation['x-read-only'] === true

/**
 * Whether the operation honours Idempotency-Key: a POST with a caller, unless it says `x-idempotent: false`. The refresh
 * cookie alone is not a caller; refreshing works only once anyway.
 */
export const isIdempotent = (method: string, operation: OperationObject): boolean =>
  method === 'post' &&
  operation['x-idempotent'] !== false &&
  operation.security.some((alternative) => Object.keys(alternative).some((scheme) => scheme !== 'RefreshCookie'))

/**
 * Whether the operation ignores query parameters that it does not know: a page that links of other sites lead to (`x-open-query: true`), or a webhook of
 * another service.
 */
export const isOpenQuery = (operation: OperationObject): boolean =>
  operation['x-open-query'] === true || operation['x-signed-by'] !== undefined
