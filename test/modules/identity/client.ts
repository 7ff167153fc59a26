import assert from 'node:assert/strict'

export interface Reply {
  status: number
  headers: Headers
  body: Record<string, unknown>
  text: string
}

export interface Call {
  method?: string
  /** A bearer credential. */
  bearer?: string
  headers?: Record<string, string>
  body?: unknown
}

/** Sends a request as a client does. */
export const call = async (
  url: string,
  path: string,
  { method = 'GET', bearer, headers = {}, body }: Call = {}
): Promise<Reply> => {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...headers
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  }
}

export const password = 'correct horse battery staple'

export interface SignedIn {
  jwt: string
  /** The refresh token of the cookie. */
  refresh: string
  userId: string
  partnerId: string
  email: string
}

/** The refresh token that a response sets. */
export const refreshOf = (reply: Reply): string =>
  /^atlas_refresh=([^;]*)/.exec(reply.headers.getSetCookie()[0] ?? '')?.[1] ?? ''

export const signedInOf = (reply: Reply): SignedIn => {
  const user = reply.body.user as Record<string, string>
  return {
    jwt: String(reply.body.access_token),
    refresh: refreshOf(reply),
    userId: String(user.id),
    partnerId: String(user.partner_id),
    email: String(user.email)
  }
}

/** The device cookie that a response sets, in the form in which a client sends it. */
export const deviceOf = (reply: Reply): string =>
  /^atlas_device=[^;]*/.exec(reply.headers.getSetCookie()[1] ?? '')?.[0] ?? ''

/** Signs up, from a forwarded address if one is given. */
export const signUp = async (url: string, email: string, { from }: { from?: string } = {}): Promise<Reply> => {
  const headers: Record<string, string> = from === undefined ? {} : { 'x-forwarded-for': from }
  const reply = await call(url, '/api/v1/auth/register', { method: 'POST', headers, body: { email, password } })
  assert.equal(reply.status, 201, reply.text)
  return reply
}

export const register = async (url: string, email: string): Promise<SignedIn> => signedInOf(await signUp(url, email))

export const login = async (url: string, email: string): Promise<SignedIn> => {
  const reply = await call(url, '/api/v1/auth/login', { method: 'POST', body: { email, password } })
  assert.equal(reply.status, 200, reply.text)
  return signedInOf(reply)
}

export const refresh = async (url: string, token: string): Promise<Reply> =>
  await call(url, '/api/v1/auth/refresh', { method: 'POST', headers: { cookie: `atlas_refresh=${token}` } })

/** Mints an API key and returns its id and secret. */
export const mintKey = async (
  url: string,
  jwt: string,
  environment: 'test' | 'live' = 'test'
): Promise<{ id: string; key: string }> => {
  const reply = await call(url, '/v1/api-keys', { method: 'POST', bearer: jwt, body: { name: 'Backend', environment } })
  assert.equal(reply.status, 201, reply.text)
  return { id: String(reply.body.id), key: String(reply.body.key) }
}

export const mintToken = async (
  url: string,
  jwt: string,
  options: Record<string, unknown> = {}
): Promise<{ id: string; token: string }> => {
  const reply = await call(url, '/v1/tokens', {
    method: 'POST',
    bearer: jwt,
    body: { name: 'Script', scopes: ['activity:read'], ...options }
  })
  assert.equal(reply.status, 201, reply.text)
  return { id: String(reply.body.id), token: String(reply.body.token) }
}

/** Asserts the form of a problem and returns its code. */
export const codeOf = (reply: Reply): string => {
  assert.equal(reply.headers.get('content-type'), 'application/problem+json', reply.text)
  assert.equal(reply.body.status, reply.status)
  assert.equal(reply.body.title, reply.body.error)
  return String(reply.body.title)
}

export const fieldsOf = (reply: Reply): string[] =>
  (reply.body.errors as { path: string }[]).map(({ path }) => path).sort()
