import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'tap'
import { startApp, type TestApp } from '../../build-app.ts'

interface RawResponse {
  status: number
  headers: Map<string, string>
  body: Record<string, unknown>
}

const parse = (text: string): RawResponse => {
  const [head = '', body = ''] = text.split('\r\n\r\n')
  const [line = '', ...fields] = head.split('\r\n')
  const headers = new Map(
    fields.map((field) => [
      field.slice(0, field.indexOf(':')).toLowerCase(),
      field.slice(field.indexOf(':') + 1).trim()
    ])
  )
  return { status: Number(line.split(' ')[1]), headers, body: JSON.parse(body) as Record<string, unknown> }
}

const readAll = async (socket: Socket): Promise<string> => {
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await once(socket, 'close')
  return text
}

/** Sends raw bytes and reads until the server closes the connection. */
const sendRaw = async ({ url }: TestApp, bytes: string): Promise<RawResponse> => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(bytes)
  return parse(await readAll(socket))
}

const assertProblem = ({ status, headers, body }: RawResponse, expectedStatus: number, code: string): void => {
  assert.equal(status, expectedStatus)
  assert.equal(headers.get('content-type'), 'application/problem+json')
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.match(headers.get('x-request-id') ?? '', /^req_\w{20}$/)
  assert.deepEqual(
    [body.title, body.error, body.status, body.requestId],
    [code, code, expectedStatus, headers.get('x-request-id')]
  )
  assert.equal(body.type, `/errors/${code.replaceAll('_', '-')}`)
}

test('malformed HTTP gets problem+json with a request id', async (t) => {
  const server = await startApp(t)
  for (const bytes of [
    'hello\r\n\r\n',
    'GET / HTTP/9.9\r\nHost: a\r\n\r\n',
    'GET /api/v1/health HTTP/1.1\r\nHost: a\r\nno colon here\r\n\r\n'
  ]) {
    assertProblem(await sendRaw(server, bytes), 400, 'malformed_request')
  }
  const chunked =
    'POST /v1/webhooks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n'
  assertProblem(await sendRaw(server, chunked), 400, 'malformed_request')
})

test('a request without a Host header gets problem+json that names the header', async (t) => {
  const server = await startApp(t)
  const response = await sendRaw(server, 'GET /api/v1/health HTTP/1.1\r\nConnection: close\r\n\r\n')
  assertProblem(response, 400, 'validation_failed')
  assert.deepEqual(response.body.errors, [{ path: 'headers/host', message: 'is required' }])
})

test('headers that are too large get 431 as problem+json', async (t) => {
  const server = await startApp(t)
  assertProblem(
    await sendRaw(server, `GET /api/v1/health HTTP/1.1\r\nHost: a\r\nX-Large: ${'a'.repeat(20_000)}\r\n\r\n`),
    431,
    'headers_too_large'
  )
})

test('an unsupported Expect header gets 417 as problem+json', async (t) => {
  const server = await startApp(t)
  assertProblem(
    await sendRaw(server, 'GET /api/v1/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: miracles\r\n\r\n'),
    417,
    'expectation_failed'
  )
})

test('a request that does not arrive in time gets 408 as problem+json', async (t) => {
  const server = await startApp(t)
  const accepted = once(server.app.server, 'connection') as Promise<[Socket]>
  const client = connect(Number(new URL(server.url).port), '127.0.0.1')
  client.write('GET /api/v1/health HTTP/1.1\r\nHost: a\r\n')
  const response = readAll(client)
  const [socket] = await accepted
  // Simulates the request timeout of Node.js, which checks only every half minute.
  server.app.server.emit(
    'clientError',
    Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }),
    socket
  )
  assertProblem(parse(await response), 408, 'request_timeout')
})

test('garbage after a request does not corrupt the response in progress', async (t) => {
  let respond = (): void => undefined
  const started = new Promise<void>((resolve) => {
    respond = resolve
  })
  const server = await startApp(t, {
    extend: (app) => {
      app.get('/slow', (_request, reply) => {
        reply.hijack()
        reply.raw.writeHead(200, { 'content-length': '10' })
        reply.raw.write('12345')
        respond()
      })
    }
  })
  const client = connect(Number(new URL(server.url).port), '127.0.0.1')
  client.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
  const response = readAll(client)
  await started
  client.write('garbage\r\n\r\n')
  const text = await response
  assert.ok(!text.includes('malformed_request'), text)
})
