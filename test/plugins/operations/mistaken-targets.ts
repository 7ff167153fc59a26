import { invalid, type Mistake } from './mistaken-bodies.ts'

const credentials = 'a partner key, a personal access token'

const queries: Mistake[] = [
  {
    what: 'a misspelled parameter',
    send: 'GET /v1/projects?limt=5',
    status: 400,
    detail: invalid('query/limt is not a query parameter of this operation (did you mean limit?)')
  },
  {
    what: 'a parameter in camel case',
    send: 'GET /v1/accounts?user_id=usr_1&pageSize=5&userId=usr_1',
    status: 400,
    detail:
      'The request has 2 invalid fields: query/pageSize is not a query parameter of this operation, which takes user_id; query/userId is not a query parameter of this operation (did you mean user_id?).'
  },
  {
    what: 'a date in another order',
    send: 'GET /v1/transactions?user_id=usr_1&since=14/06/2026',
    status: 400,
    detail: invalid('query/since must be a date such as 2026-06-14')
  },
  {
    what: 'a time instead of a date',
    send: 'GET /v1/transactions?user_id=usr_1&since=2026-06-14T00:00:00Z',
    status: 400,
    detail: invalid('query/since must be a date such as 2026-06-14')
  },
  {
    what: 'a parameter of another API',
    send: 'GET /v1/projects?page=2',
    status: 400,
    detail: invalid('query/page is not a query parameter of this operation, which takes limit, cursor and environment')
  },
  {
    what: 'a parameter where there are none',
    send: 'GET /v1/projects/prj_1?expand=tasks',
    status: 400,
    detail: invalid('query/expand is not a parameter: this operation takes no query parameters')
  },
  {
    what: 'a page that is too large',
    send: 'GET /v1/projects?limit=1000',
    status: 400,
    detail: invalid('query/limit must be between 1 and 500')
  },
  {
    what: 'a word instead of a number',
    send: 'GET /v1/projects?limit=all',
    status: 400,
    detail: invalid('query/limit must be a whole number')
  },
  {
    what: 'a parameter twice',
    send: 'GET /v1/projects?limit=5&limit=6',
    status: 400,
    detail: invalid('query/limit must be sent only once')
  },
  {
    what: 'a missing parameter',
    send: 'GET /v1/items',
    status: 400,
    detail: invalid('query/user_id is required')
  },
  {
    what: 'an environment that does not exist',
    send: 'GET /v1/projects?environment=production',
    status: 400,
    detail: invalid('query/environment must be test or live')
  },
  {
    what: 'a cursor of another list',
    send: 'GET /v1/projects?cursor=made.up',
    status: 400,
    detail:
      'This list did not issue the cursor. Send the cursor of the previous page unchanged, or omit it to start from the first page.'
  },
  {
    what: 'a name instead of a version',
    send: 'PATCH /v1/projects/prj_1',
    body: { name: 'a' },
    headers: { 'if-match': 'latest' },
    status: 400,
    detail: invalid('headers/if-match must be the version of the resource, such as 3')
  },
  {
    what: 'a key with spaces',
    send: 'POST /v1/projects',
    body: { name: 'a' },
    headers: { 'idempotency-key': 'my key' },
    status: 400,
    detail: invalid(
      'headers/idempotency-key must be ASCII letters, digits and punctuation without spaces, such as a UUID'
    )
  },
  {
    what: 'a loan id that is not a number',
    send: 'POST /api/loans/loan_7/repay',
    as: 'agent',
    status: 400,
    detail: invalid('params/loan_id must be a whole number greater than 0, such as 42')
  }
]

const missing = (path: string, near: string): Pick<Mistake, 'status' | 'detail'> => ({
  status: 404,
  detail: `The path ${path} does not exist. Did you mean ${near}?`
})

const paths: Mistake[] = [
  { what: 'no version', send: 'GET /accounts?user_id=usr_1', ...missing('/accounts', '/v1/accounts') },
  { what: 'a slash at the end', send: 'GET /v1/accounts/', ...missing('/v1/accounts/', '/v1/accounts') },
  { what: 'another prefix', send: 'GET /api/v1/accounts', ...missing('/api/v1/accounts', '/v1/accounts') },
  { what: 'the singular', send: 'GET /v1/account', ...missing('/v1/account', '/v1/accounts') },
  { what: 'the plural', send: 'POST /api/spends', ...missing('/api/spends', '/api/spend') },
  { what: 'a typo', send: 'GET /v1/transfres', ...missing('/v1/transfres', '/v1/transfers') },
  { what: 'capitals', send: 'GET /V1/Transfers', ...missing('/V1/Transfers', '/v1/transfers') },
  {
    what: 'a path with an id and without its version',
    send: 'POST /transfers/tr_1/cancel',
    ...missing('/transfers/tr_1/cancel', '/v1/transfers/{id}/cancel')
  },
  { what: 'the end of a path', send: 'POST /login', ...missing('/login', '/api/v1/auth/login') },
  {
    what: 'a path unlike any other',
    send: 'GET /v1/horoscopes',
    status: 404,
    detail: 'The path /v1/horoscopes does not exist. The reference lists every path: /docs'
  },
  {
    what: 'another method',
    send: 'PUT /v1/accounts',
    status: 405,
    detail: 'This path does not support PUT. It supports GET, HEAD.'
  }
]

const senders: Mistake[] = [
  {
    what: 'no credential',
    send: 'GET /v1/projects',
    as: 'none',
    status: 401,
    detail:
      'Send a credential as `Authorization: Bearer …`: a partner key, a personal access token (scope projects:read) or a sign-in (access token).'
  },
  {
    what: 'a key as user name and password',
    send: 'GET /v1/projects',
    as: 'none',
    headers: { authorization: 'Basic YWZnX3Rlc3Q6' },
    status: 401,
    detail: `\`Authorization\` must be the word Bearer, a space and the credential: ${credentials} (scope projects:read) or a sign-in (access token).`
  },
  {
    what: 'a key of another service',
    send: 'GET /v1/projects',
    as: 'none',
    headers: { authorization: 'Bearer sk_test_4eC39HqLyjWDarjtT1zdp7dc' },
    status: 401,
    detail:
      'The credential is of no known kind. Keys begin with afg_test_ or afg_live_, and personal access tokens with atlas_pat_; an access token is what signing in returns.'
  },
  {
    what: 'a partner’s key for spending',
    send: 'POST /api/spend',
    body: { amount: 1 },
    status: 403,
    detail: "Sent: a test partner key. This operation takes: an agent's key."
  },
  {
    what: 'an agent’s key for a partner’s data',
    send: 'GET /v1/projects',
    as: 'agent',
    status: 403,
    detail: `Sent: an agent's key. This operation takes: ${credentials} (scope projects:read) or a sign-in (access token).`
  },
  {
    what: 'a user who reports to the bureau',
    send: 'POST /v2/api/report',
    as: 'session',
    body: {},
    status: 403,
    detail:
      'Sent: a sign-in (access token). This operation takes: a partner key or a personal access token (scope bureau:write).'
  },
  {
    what: 'a partner’s key for operators',
    send: 'GET /api/v1/admin/partners',
    status: 403,
    detail: 'Sent: a test partner key. This operation takes: the sign-in of an operator (access token).'
  },
  {
    what: 'a user who is not an operator',
    send: 'GET /api/v1/admin/partners',
    as: 'session',
    status: 403,
    detail:
      'Only an operator of this server can call this operation. Sent: a sign-in (access token). This operation takes: the sign-in of an operator (access token).'
  },
  {
    what: 'a live key in the sandbox',
    send: 'POST /v1/sandbox/public_token',
    as: 'live',
    body: {},
    status: 403,
    detail:
      'Sent: a live partner key. This operation takes: a test partner key, a test personal access token (scope accounts:write) or a sign-in (access token).'
  },
  {
    what: 'a token without the scope',
    send: 'POST /v1/projects',
    as: 'readToken',
    body: { name: 'a' },
    status: 403,
    detail: "The token lacks the scope 'projects:write'. Create a token that has it."
  },
  {
    what: 'a token from another address',
    send: 'GET /v1/projects',
    as: 'blockedToken',
    status: 403,
    detail:
      'The token does not allow 127.0.0.1, the address of this request. Call from an address in its `allowedIps`, or create a token that allows this one.'
  },
  {
    what: 'a partner’s key for ingestion',
    send: 'GET /api/ingest/ping',
    status: 401,
    detail: 'Sent: a key of a partner or an agent. This operation takes: the ingest secret, as `X-Atlas-Ingest-Secret`.'
  }
]

/** Wrong parameters, headers, paths and credentials. */
export const mistakenTargets: Mistake[] = [...queries, ...paths, ...senders]
