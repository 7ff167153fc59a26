import assert from 'node:assert/strict'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { test } from 'tap'
import { ProblemError } from '../../../plugins/http/errors/problem.ts'
import { createPlaidClient, type CallOptions } from '../../../plugins/plaid/client.ts'
import { PlaidFailure } from '../../../plugins/plaid/failure.ts'
import type { Cleaner } from '../../build-app.ts'

const secret = 'a-secret-known-only-to-plaid'
const accessToken = 'access-sandbox-confidential'

const refusal = JSON.stringify({
  error_type: 'ITEM_ERROR',
  error_code: 'ITEM_LOGIN_REQUIRED',
  display_message: 'Sign in again.',
  request_id: 'r1'
})
const busy = JSON.stringify({
  error_type: 'RATE_LIMIT_EXCEEDED',
  error_code: 'BALANCE_LIMIT',
  display_message: null,
  request_id: 'r2'
})
const balances = JSON.stringify({ accounts: [], item: { item_id: 'i1' }, request_id: 'r3' })

const httpResponse = (status: string, body: string, announced = body.length): string =>
  `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${announced}\r\n\r\n${body}`

/** A server that handles its nth request with the nth turn, and a client of it that retries without delay. */
const startPlaid = async (t: Cleaner, turns: ((socket: Socket) => void)[], timeoutMs?: number) => {
  const got: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (part) => {
      got.push(part.toString())
      turns[got.length - 1]?.(socket)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const outcomes: string[] = []
  const client = createPlaidClient({
    baseUrl: `http://127.0.0.1:${port}`,
    clientId: 'a-client',
    secret,
    observe: (outcome) => outcomes.push(outcome),
    sleep: () => Promise.resolve(),
    ...(timeoutMs === undefined ? {} : { timeoutMs })
  })
  const call = (options: CallOptions) =>
    client.call((api) => api.accountsBalanceGet({ access_token: accessToken }), options)
  const stop = () => new Promise((done) => server.close(done))
  return { got, outcomes, ask: call, stop }
}

const say = (text: string) => (socket: Socket) => void socket.write(text)
const cut = (socket: Socket): void => void socket.destroy()

/** The error of a call. Asserts that it contains no credentials. */
const failureOf = async (call: Promise<unknown>): Promise<ProblemError> => {
  const error: unknown = await call.then(
    () => assert.fail('The call did not fail.'),
    (failure: unknown) => failure
  )
  assert.ok(error instanceof ProblemError, String(error))
  for (const hidden of [secret, accessToken])
    assert.ok(!JSON.stringify([error.message, error.stack, error]).includes(hidden))
  return error
}

test('a call sends Plaid’s headers and a JSON body, and returns the parsed response', async (t) => {
  const plaid = await startPlaid(t, [say(httpResponse('200 OK', balances))])
  assert.deepEqual(await plaid.ask({ repeatable: true }), JSON.parse(balances))
  const [head = '', body = ''] = plaid.got[0]?.split('\r\n\r\n') ?? []
  assert.match(head, /^POST \/accounts\/balance\/get HTTP\/1\.1\r\n/)
  assert.match(head, new RegExp(`^plaid-secret: ${secret}$`, 'im'))
  assert.match(head, /^content-type: application\/json/im)
  assert.deepEqual(JSON.parse(body), { access_token: accessToken })
  assert.deepEqual(plaid.outcomes, ['ok'])
})

test('a NUL in bank text is read as U+FFFD, and text that only looks like one is unchanged', async (t) => {
  const named = (name: string) => JSON.stringify({ accounts: [{ name }], item: { item_id: 'i1' }, request_id: 'r4' })
  const plaid = await startPlaid(t, [say(httpResponse('200 OK', named(String.raw`Check\u0000ing` + '\0 2')))])
  assert.deepEqual(await plaid.ask({ repeatable: true }), JSON.parse(named(String.raw`Check\u0000ing` + '\ufffd 2')))
  const refusing = await startPlaid(t, [
    say(httpResponse('400 Bad Request', refusal.replace('ITEM_LOGIN_REQUIRED', String.raw`ITEM_LOGIN_REQUIRED\u0000`)))
  ])
  const error = await failureOf(refusing.ask({ repeatable: true }))
  assert.equal(error instanceof PlaidFailure && error.errorCode, 'ITEM_LOGIN_REQUIRED\ufffd', 'in an error as well')
})

test('a response without a body is accepted even when it claims to be compressed', async (t) => {
  const plaid = await startPlaid(t, [
    say(`HTTP/1.1 429 Slow\r\ncontent-encoding: gzip\r\ncontent-length: 0\r\n\r\n`),
    say(httpResponse('200 OK', balances))
  ])
  assert.deepEqual(await plaid.ask({ repeatable: false }), JSON.parse(balances), 'the call is retried')
})

test('responses may be compressed, including errors', async (t) => {
  const compressed = (status: string, text: string) => (socket: Socket) => {
    const body = gzipSync(text)
    socket.write(`HTTP/1.1 ${status}\r\ncontent-encoding: gzip  \r\ncontent-length: ${body.length}\r\n\r\n`)
    socket.write(body)
  }
  const plaid = await startPlaid(t, [compressed('200 OK', balances), compressed('400 Bad Request', refusal)])
  assert.deepEqual(await plaid.ask({ repeatable: true }), JSON.parse(balances))
  const error = await failureOf(plaid.ask({ repeatable: true }))
  assert.ok(error instanceof PlaidFailure)
  assert.equal(error.errorCode, 'ITEM_LOGIN_REQUIRED')
})

test(
  'a response that is not complete in time counts as failed, even if parts of it keep arriving',
  { timeout: 20_000 },
  async (t) => {
    const again = (part: string) => (socket: Socket) => {
      const timer = setInterval(() => socket.write(part), 20)
      socket.once('close', () => clearInterval(timer))
    }
    const trickles = {
      'an endless body of spaces': (socket: Socket) => {
        socket.write(httpResponse('200 OK', '', 1e9))
        again(' ')(socket)
      },
      'endless early hints': again('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'),
      'no response': () => undefined
    }
    for (const [what, trickle] of Object.entries(trickles)) {
      await t.test(what, async () => {
        const plaid = await startPlaid(t, [trickle, trickle], 300)
        assert.match((await failureOf(plaid.ask({ repeatable: true, attempts: 2 }))).message, /ETIMEDOUT/)
        assert.deepEqual(plaid.outcomes, ['failed', 'failed'])
      })
    }
  }
)

test('an error from Plaid keeps its codes and is not retried', async (t) => {
  const plaid = await startPlaid(t, [say(httpResponse('400 Bad Request', refusal))])
  const error = await failureOf(plaid.ask({ repeatable: true }))
  assert.ok(error instanceof PlaidFailure)
  assert.deepEqual(
    [error.status, error.errorType, error.errorCode, error.requestId, error.displayMessage],
    [400, 'ITEM_ERROR', 'ITEM_LOGIN_REQUIRED', 'r1', 'Sign in again.']
  )
  assert.deepEqual(plaid.outcomes, ['refused'])
})

test('a call with an unknown outcome is retried only if it is repeatable', async (t) => {
  const unknown = {
    'connection lost before the response': cut,
    'connection lost during the response': (socket: Socket) =>
      void socket.end(httpResponse('200 OK', balances.slice(0, 20), balances.length)),
    'internal error of Plaid': say(httpResponse('500 Oops', '{}')),
    'HTML page of a proxy': say(httpResponse('200 OK', '<html>Welcome</html>'))
  }
  for (const [what, fail] of Object.entries(unknown)) {
    await t.test(what, async () => {
      const repeated = await startPlaid(t, [fail, fail, say(httpResponse('200 OK', balances))])
      assert.deepEqual(await repeated.ask({ repeatable: true }), JSON.parse(balances))
      assert.deepEqual(repeated.outcomes, ['failed', 'failed', 'ok'])
      const once = await startPlaid(t, [fail, say(httpResponse('200 OK', balances))])
      assert.equal((await failureOf(once.ask({ repeatable: false }))).kind.status, 502)
      assert.deepEqual([once.got.length, once.outcomes], [1, ['failed']])
    })
  }
})

test('a call that Plaid was too busy for, or never received, is retried even if it is not repeatable', async (t) => {
  const plaid = await startPlaid(t, [
    say(httpResponse('429 Too Many Requests', busy)),
    say(httpResponse('200 OK', balances))
  ])
  assert.deepEqual(await plaid.ask({ repeatable: false }), JSON.parse(balances))
  assert.deepEqual(plaid.outcomes, ['failed', 'ok'])
  const gone = await startPlaid(t, [])
  await gone.stop()
  assert.equal((await failureOf(gone.ask({ repeatable: false }))).kind.status, 502)
  assert.deepEqual(gone.outcomes, ['failed', 'failed', 'failed'])
})
