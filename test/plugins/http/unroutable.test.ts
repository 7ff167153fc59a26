import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { startApp } from '../../build-app.ts'
import { send } from '../../credentials.ts'

const server = await startApp(t)

test('an unreadable path counts against the rate limit, with the same headers as any response', async () => {
  for (const [path, expected] of [
    ['/v1/transfers/%zz', 400],
    [`/v1/transfers/${'x'.repeat(300)}`, 404]
  ] as const) {
    const { status, headers, body } = await send(server.url, 'GET', path)
    assert.deepEqual([status, body.requestId], [expected, headers.get('x-request-id')])
    for (const name of [
      'x-ratelimit-limit',
      'x-ratelimit-remaining',
      'x-ratelimit-reset',
      'ratelimit',
      'ratelimit-policy'
    ])
      assert.notEqual(headers.get(name), null, name)
  }
})
