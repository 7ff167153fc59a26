import assert from 'node:assert/strict'
import { test } from 'tap'
import { startApp } from '../../build-app.ts'

test('health returns the configuration of the server and its services', async (t) => {
  const { url, database } = await startApp(t)
  const response = await fetch(`${url}/api/v1/health`)
  assert.equal(response.status, 200)
  const body = (await response.json()) as Record<string, unknown>
  assert.equal(body.environment, 'test')
  assert.deepEqual(body.database, { driver: database.driver, status: 'ok' })
  assert.deepEqual(body.plaid, { configured: true, mode: 'sandbox' })
})

test('an unsupported method on a known path gets 405 with Allow', async (t) => {
  const { url } = await startApp(t)
  const response = await fetch(`${url}/api/v1/health`, { method: 'POST', body: '{}' })
  assert.equal(response.status, 405)
  assert.equal(response.headers.get('allow'), 'GET, HEAD')
  assert.equal(response.headers.get('content-type'), 'application/problem+json')
})
