import assert from 'node:assert/strict'
import { test } from 'tap'
import { startApp } from '../build-app.ts'
import { operations } from './document.ts'
import { Walker } from './walker.ts'

test('an onSend hook of any plugin runs for every response of every operation', async (t) => {
  const server = await startApp(t, {
    extend: (app) => {
      app.addHook('onSend', async (request, reply) => {
        reply.header('x-hooked', request.routeOptions.config.operation?.operationId ?? request.routeOptions.url ?? '')
      })
    }
  })
  const walker = new Walker(server)
  let successes = 0
  for (const operation of operations) {
    const credential = await walker.credentialFor(operation)
    const example = walker.exampleOf(operation)
    const headers = { ...credential.headers, ...example?.headers }
    for (const options of [{}, { ...credential, ...example, headers }]) {
      const { status, headers: sent } = await walker.call(operation, options)
      if (status < 300) successes += 1
      walker.expect(operation, sent.get('x-hooked') !== null, `no hook ran for a response with ${status}`)
    }
  }
  assert.deepEqual(walker.faults, [])
  assert.ok(successes > 40, `${successes} operations succeeded`)
})
