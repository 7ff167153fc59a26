/** Which credential a request has; the default is a test key of a partner. */
export type Sender = 'key' | 'live' | 'readToken' | 'blockedToken' | 'agent' | 'session' | 'none'

/** A request that integrators send by mistake, and the `detail` that has to help them. */
export interface Mistake {
  what: string
  send: string
  as?: Sender
  body?: unknown
  headers?: Record<string, string>
  status: number
  detail: string
}

const transfer = { from_account_id: 'acc_1', to_account_id: 'acc_2', amount: 25 }
/** The `detail` of a problem with one field. */
export const invalid = (message: string): string => `The request has 1 invalid field: ${message}.`

const fields: Mistake[] = [
  {
    what: 'a currency in lower case',
    send: 'POST /v1/transfers',
    body: { ...transfer, currency: 'usd' },
    status: 400,
    detail: invalid('body/currency must be an ISO 4217 code in capitals, such as USD')
  },
  {
    what: 'the name of a currency',
    send: 'POST /v1/transfers',
    body: { ...transfer, currency: 'US dollars' },
    status: 400,
    detail: invalid('body/currency must be an ISO 4217 code in capitals, such as USD')
  },
  {
    what: 'an amount in quotation marks',
    send: 'POST /v1/transfers',
    body: { ...transfer, amount: '25' },
    status: 400,
    detail: invalid('body/amount must be a number, not a string (remove the quotation marks)')
  },
  {
    what: 'a negative amount',
    send: 'POST /v1/transfers',
    body: { ...transfer, amount: -5 },
    status: 400,
    detail: invalid('body/amount must be between 0.01 and 999999999.99')
  },
  {
    what: 'a fraction of a cent',
    send: 'POST /v1/transfers',
    body: { ...transfer, amount: 25.005 },
    status: 400,
    detail: invalid('body/amount must have at most two decimals')
  },
  {
    what: 'null instead of an amount',
    send: 'POST /v1/transfers',
    body: { ...transfer, amount: null },
    status: 400,
    detail: invalid('body/amount must be a number, not null')
  },
  {
    what: 'a field in camel case',
    send: 'POST /v1/transfers',
    body: { ...transfer, legalName: 'Ada Byron' },
    status: 400,
    detail: invalid('body/legalName is not a field of this request (did you mean legal_name?)')
  },
  {
    what: 'a missing field under another name',
    send: 'POST /v1/transfers',
    body: { from_account_id: 'acc_1', to_account_id: 'acc_2', sum: 25 },
    status: 400,
    detail:
      'The request has 2 invalid fields: body/amount is required; body/sum is not a field of this request, which takes from_account_id, to_account_id, amount, currency, memo, rail and legal_name.'
  },
  {
    what: 'a value of an enumeration in lower case',
    send: 'POST /v1/tasks',
    body: { projectId: 'prj_1', title: 'Review', priority: 'high' },
    status: 400,
    detail: invalid('body/priority must be one of LOW, MEDIUM, HIGH or URGENT (did you mean HIGH?)')
  },
  {
    what: 'a date without a time',
    send: 'POST /v1/tasks',
    body: { projectId: 'prj_1', title: 'Review', dueOn: '2026-05-01' },
    status: 400,
    detail: invalid('body/dueOn must be a time with a time zone, such as 2026-06-14T18:00:00Z')
  },
  {
    what: 'a blank name',
    send: 'POST /v1/projects',
    body: { name: '   ' },
    status: 400,
    detail: invalid('body/name must not be blank or contain the character U+0000')
  },
  {
    what: 'an empty name',
    send: 'POST /v1/projects',
    body: { name: '' },
    status: 400,
    detail: invalid('body/name must not be empty')
  },
  {
    what: 'a number as a name',
    send: 'POST /v1/projects',
    body: { name: 2026 },
    status: 400,
    detail: invalid('body/name must be a string, not a number')
  },
  {
    what: 'a name that is too long',
    send: 'POST /v1/projects',
    body: { name: 'a'.repeat(201) },
    status: 400,
    detail: invalid('body/name must have at most 200 characters')
  },
  {
    what: 'a list instead of an object',
    send: 'POST /v1/projects',
    body: [{ name: 'Quarterly close' }],
    status: 400,
    detail: 'The body must be a JSON object, not an array.'
  },
  {
    what: 'an amount in a list that is not a number',
    send: 'POST /v1/calculate/safe-to-spend',
    body: { end_user_id: 'usr_1', cash_balance: 100, upcoming_bills: [{ amount: 20, due_in_days: 2.5 }] },
    status: 400,
    detail: invalid('body/upcoming_bills/0/due_in_days must be a whole number')
  },
  {
    what: 'an event that does not exist',
    send: 'POST /v1/webhooks',
    body: { url: 'https://example.com/hooks', events: ['transfer.setled'] },
    status: 400,
    detail: invalid('body/events/0 is not an allowed value (did you mean transfer.settled?)')
  },
  {
    what: 'no events',
    send: 'POST /v1/webhooks',
    body: { url: 'https://example.com/hooks', events: [] },
    status: 400,
    detail: invalid('body/events must have at least one item')
  },
  {
    what: 'a host name instead of a URL',
    send: 'POST /v1/webhooks',
    body: { url: 'example.com/hooks', events: ['transfer.*'] },
    status: 400,
    detail: invalid('body/url must be a URL such as https://example.com/path')
  },
  {
    what: 'a routing number that lost its zero',
    send: 'POST /v1/recipients',
    body: {
      user_id: 'usr_1',
      name: 'Corner Coffee LLC',
      routing_number: '21000021',
      account_number: '1234567890',
      account_type: 'checking'
    },
    status: 400,
    detail: invalid('body/routing_number must be nine digits, such as 021000021')
  },
  {
    what: 'a change of nothing',
    send: 'PATCH /v1/projects/prj_1',
    body: {},
    status: 400,
    detail: 'The body must have at least one field.'
  },
  {
    what: 'a scope in the singular',
    send: 'POST /v1/tokens',
    as: 'session',
    body: { name: 'reports', scopes: ['transfer:read'] },
    status: 400,
    detail: invalid('body/scopes/0 is not an allowed value (did you mean transfers:read?)')
  }
]

const bodies: Mistake[] = [
  {
    what: 'no body',
    send: 'POST /v1/transfers',
    status: 400,
    detail: 'The body is empty, but must be a JSON object with from_account_id, to_account_id and amount.'
  },
  {
    what: 'an empty body that is declared as JSON',
    send: 'POST /v1/transfers',
    body: '',
    status: 400,
    detail: 'The body is empty. Send a JSON object.'
  },
  {
    what: 'a comma at the end',
    send: 'POST /v1/projects',
    body: '{\n  "name": "Quarterly close",\n}',
    status: 400,
    detail: 'The body is not valid JSON at line 3, column 1. Remove the comma before it.'
  },
  {
    what: 'single quotation marks',
    send: 'POST /v1/projects',
    body: "{'name': 'Quarterly close'}",
    status: 400,
    detail: 'The body is not valid JSON at line 1, column 2. Use straight double quotation marks.'
  },
  {
    what: 'a name without quotation marks',
    send: 'POST /v1/projects',
    body: '{name: "Quarterly close"}',
    status: 400,
    detail:
      'The body is not valid JSON at line 1, column 2. Put names and texts in double quotation marks; only true, false and null are written without them.'
  },
  {
    what: 'a body that was cut off',
    send: 'POST /v1/projects',
    body: '{"name": "Quarterly',
    status: 400,
    detail:
      'The body is not valid JSON at line 1, column 20. The text ends too early: close every bracket and quotation mark.'
  },
  {
    what: 'a line break in a text',
    send: 'POST /v1/projects',
    body: '{"name": "Quarterly\nclose"}',
    status: 400,
    detail: 'The body is not valid JSON at line 1, column 10. Write line breaks and tabs in a text as \\n and \\t.'
  },
  {
    what: 'a body without a content type that JSON libraries set',
    send: 'POST /v1/projects',
    body: '{"name": "a"}',
    headers: { 'content-type': 'text/plain' },
    status: 415,
    detail: 'The body was sent as text/plain. Send it as Content-Type: application/json.'
  },
  {
    what: 'a field that pollutes prototypes',
    send: 'POST /v1/projects',
    body: '{"name": "a", "__proto__": {}}',
    status: 400,
    detail: 'The body has a field named __proto__ or constructor. Remove it.'
  }
]

/** Wrong fields and bodies. */
export const mistakenBodies: Mistake[] = [...fields, ...bodies]
