import assert from 'node:assert/strict'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { IncomingMessage } from 'node:http'
import { test } from 'tap'
import { call, codeOf, password } from './modules/identity/client.ts'
import { ownSettings, startServerProcess } from './machines/server-process.ts'

const readyPath = '/api/v1/health/ready'

test('a stopping server reports not ready first, finishes requests, accepts new ones briefly, and exits 0', async (t) => {
  const server = await startServerProcess(t, { ...(await ownSettings(t)), ATLAS_DRAIN_DELAY_MS: '8000' })
  assert.equal((await call(server.url, readyPath)).status, 200)

  // The server has received the headers but not the body when it receives SIGTERM.
  const body = JSON.stringify({ email: 'ada@example.com', password })
  const underWay = request(`${server.url}/api/v1/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  })
  const responded = new Promise<IncomingMessage>((done, failed) =>
    underWay.once('response', done).once('error', failed)
  )
  underWay.write(body.slice(0, 10))
  assert.equal((await call(server.url, '/api/v1/health/live')).status, 200)
  const ended = server.drain()

  for (;;) {
    const ready = await call(server.url, readyPath)
    if (ready.status === 200) continue
    assert.deepEqual(
      [ready.status, codeOf(ready), ready.body.detail],
      [503, 'unavailable', 'The server is shutting down. Retry in 5 seconds.']
    )
    break
  }
  const late = await call(server.url, '/api/v1/auth/register', {
    method: 'POST',
    body: { email: 'grace@example.com', password }
  })
  assert.equal(late.status, 201, 'new requests are still served')
  while (
    await call(server.url, '/api/v1/health/live').then(
      () => true,
      () => false
    )
  );
  underWay.end(body.slice(10))
  const response = await responded
  assert.equal(response.statusCode, 201, await text(response))
  assert.equal(response.headers.connection, 'close')
  assert.equal(await ended, 0, server.output())
})
