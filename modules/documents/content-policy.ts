/**
 * The Content-Security-Policy of a page of the reference. The page loads from this server only, runs no inline script, and cannot be framed.
 * @param extra directives that the page needs beyond those, or replaces.
 */
export const contentPolicy = (extra: Record<string, string>): string =>
  Object.entries({
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'img-src': "'self' data:",
    'connect-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    ...extra
  })
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join('; ')
