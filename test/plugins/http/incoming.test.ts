import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'tap'
import { startApp, type Cleaner } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'

const postHead = (length: number): string =>
  `POST /api/v1/auth/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`

const open = async (t: Cleaner, url: string): Promise<Socket> => {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  t.teardown(() => void socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

const textUntilClosed = async (socket: Socket): Promise<string> => {
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await once(socket, 'close')
  return text
}

test('headers and bodies that do not arrive in time get 408', { timeout: 60_000 }, async (t) => {
  const { url, app } = await startApp(t, {
    extend: ({ server }) => {
      assert.deepEqual([server.headersTimeout, server.requestTimeout], [15_000, 30_000])
      server.headersTimeout = 200
      server.requestTimeout = 400
    }
  })
  assert(app.server.listening)
  for (const text of ['', 'GET / HTTP/1.1\r\nHost: he', `${postHead(99)}{"email":`]) {
    const socket = await open(t, url)
    socket.write(text)
    assert.match(await textUntilClosed(socket), /^HTTP\/1\.1 408 /, text)
  }
})

test('an address has a limited number of connections, and can open new ones after closing old ones', async (t) => {
  const { url } = await startApp(t, { env: { ATLAS_CONNECTIONS_PER_ADDRESS: '3' } })
  const kept = [await open(t, url), await open(t, url), await open(t, url)]
  await once(await open(t, url), 'close')
  kept[0]?.destroy()
  let text = ''
  while (text === '') {
    const socket = await open(t, url)
    socket.write('GET /api/v1/health/live HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n')
    text = await textUntilClosed(socket)
  }
  assert.match(text, /^HTTP\/1\.1 200 /)
})

test('the memory of unfinished bodies is bounded, and released when they end', { timeout: 60_000 }, async (t) => {
  const { url } = await startApp(t)
  const mebibyte = 1024 * 1024
  const sockets = await Promise.all(Array.from({ length: 20 }, () => open(t, url)))
  for (const socket of sockets) socket.write(`${postHead(mebibyte)}${'x'.repeat(mebibyte - 1)}`)
  const login = () => send(url, 'POST', '/api/v1/auth/login', { body: { email: 'a@example.com', password: 'wrong' } })
  let refused = await login()
  while (refused.status !== 503) refused = await login()
  assert.equal(refused.body.error, 'overloaded')
  assert.equal((await send(url, 'GET', '/api/v1/users/me')).status, 401, 'requests without a body are served')
  for (const socket of sockets) socket.destroy()
  while ((await login()).status === 503);
})

test('a client that disconnects during its upload is not logged as a failure of the server', async (t) => {
  let log = ''
  const { url, database } = await startApp(t, {
    env: { LOG_LEVEL: 'warn' },
    logStream: { write: (line) => void (log += line) }
  })
  const { testKey } = await createPartner(database)
  const socket = await open(t, url)
  socket.write(postHead(99).replace('Host: here', `Host: here\r\nAuthorization: Bearer ${testKey}`) + '{"a')
  await send(url, 'GET', '/api/v1/health/live')
  socket.resetAndDestroy()
  await once(socket, 'close')
  for (let turn = 0; turn < 20; turn++) await send(url, 'GET', '/api/v1/health/live')
  assert.equal(log, '')
})
