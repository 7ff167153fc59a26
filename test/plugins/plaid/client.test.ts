import assert from 'node:assert/strict'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { test } from 'tap'
import { ProblemError } from '../../../plugins/http/errors/problem.ts'
import { createPlaidClient, type CallOptions } from '../../../plugins/plaid/client.ts'
import { PlaidFailure } from '../../../plugins/plaid/failure.ts'
import type { Cleaner } from '../../build-app.ts'

const secret = 'the-secret-of-nobody-but-plaid'
const accessToken = 'access-sandbox-that-nobody-may-see'

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

const answer = (status: string, body: string, announced = body.length): string =>
  `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${announced}\r\n\r\n${body}`

/** A server that does with each request what its turn says, and a client of it that waits for nothing between attempts. */
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
  const ask = (options: CallOptions) =>
    client.call((api) => api.accountsBalanceGet({ access_token: accessToken }), options)
  const stop = () => new Promise((done) => server.close(done))
  return { got, outcomes, ask, stop }
}

const say = (text: string) => (socket: Socket) => void socket.write(text)
const cut = (socket: Socket): void => void socket.destroy()

/** What a call fails with; never with what it was asked with. */
const failureOf = async (call: Promise<unknown>): Promise<ProblemError> => {
  const error: unknown = await call.then(
    () => assert.fail('It did not fail.'),
    (failure: unknown) => failure
  )
  assert.ok(error instanceof ProblemError, String(error))
  for (const hidden of [secret, accessToken])
    assert.ok(!JSON.stringify([error.message, error.stack, error]).includes(hidden))
  return error
}

test('Plaid is sent its own headers and a JSON body, and its answer is read', async (t) => {
  const plaid = await startPlaid(t, [say(answer('200 OK', balances))])
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
  const plaid = await startPlaid(t, [say(answer('200 OK', named(String.raw`Check\u0000ing` + '\0 2')))])
  assert.deepEqual(await plaid.ask({ repeatable: true }), JSON.parse(named(String.raw`Check\u0000ing` + '\ufffd 2')))
  const refusing = await startPlaid(t, [
    say(answer('400 Bad Request', refusal.replace('ITEM_LOGIN_REQUIRED', String.raw`ITEM_LOGIN_REQUIRED\u0000`)))
  ])
  const error = await failureOf(refusing.ask({ repeatable: true }))
  assert.equal(
    error instanceof PlaidFailure && error.errorCode,
    'ITEM_LOGIN_REQUIRED\ufffd',
    'also of a bank that refuses'
  )
})

test('an answer that says that it is compressed, and has no body, is read as one without', async (t) => {
  const plaid = await startPlaid(t, [
    say(`HTTP/1.1 429 Slow\r\ncontent-encoding: gzip\r\ncontent-length: 0\r\n\r\n`),
    say(answer('200 OK', balances))
  ])
  assert.deepEqual(await plaid.ask({ repeatable: false }), JSON.parse(balances), 'busy, and asked again')
})

test('an answer may be compressed, also one that refuses', async (t) => {
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
  'an answer that is not there to its end in time counts as none, however often a part of it comes',
  { timeout: 20_000 },
  async (t) => {
    const again = (part: string) => (socket: Socket) => {
      const timer = setInterval(() => socket.write(part), 20)
      socket.once('close', () => clearInterval(timer))
    }
    const trickles = {
      'a body of blanks': (socket: Socket) => {
        socket.write(answer('200 OK', '', 1e9))
        again(' ')(socket)
      },
      'hints of an answer': again('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'),
      nothing: () => undefined
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

test('an error of Plaid has its codes, and the call is not retried', async (t) => {
  const plaid = await startPlaid(t, [say(answer('400 Bad Request', refusal))])
  const error = await failureOf(plaid.ask({ repeatable: true }))
  assert.ok(error instanceof PlaidFailure)
  assert.deepEqual(
    [error.status, error.errorType, error.errorCode, error.requestId, error.displayMessage],
    [400, 'ITEM_ERROR', 'ITEM_LOGIN_REQUIRED', 'r1', 'Sign in again.']
  )
  assert.deepEqual(plaid.outcomes, ['refused'])
})

test('a call whose outcome is unknown is repeated when doing it twice does no harm, and else never', async (t) => {
  const unknown = {
    'cut before the answer': cut,
    'cut in the answer': (socket: Socket) => void socket.end(answer('200 OK', balances.slice(0, 20), balances.length)),
    'a fault of Plaid’s': say(answer('500 Oops', '{}')),
    'a page of somebody on the way': say(answer('200 OK', '<html>Welcome</html>'))
  }
  for (const [what, fail] of Object.entries(unknown)) {
    await t.test(what, async () => {
      const repeated = await startPlaid(t, [fail, fail, say(answer('200 OK', balances))])
      assert.deepEqual(await repeated.ask({ repeatable: true }), JSON.parse(balances))
      assert.deepEqual(repeated.outcomes, ['failed', 'failed', 'ok'])
      const once = await startPlaid(t, [fail, say(answer('200 OK', balances))])
      assert.equal((await failureOf(once.ask({ repeatable: false }))).kind.status, 502)
      assert.deepEqual([once.got.length, once.outcomes], [1, ['failed']])
    })
  }
})

test('a call that Plaid was too busy for, or never received, is always retried', async (t) => {
  const plaid = await startPlaid(t, [say(answer('429 Too Many Requests', busy)), say(answer('200 OK', balances))])
  assert.deepEqual(await plaid.ask({ repeatable: false }), JSON.parse(balances))
  assert.deepEqual(plaid.outcomes, ['failed', 'ok'])
  const gone = await startPlaid(t, [])
  await gone.stop()
  assert.equal((await failureOf(gone.ask({ repeatable: false }))).kind.status, 502)
  assert.deepEqual(gone.outcomes, ['failed', 'failed', 'failed'])
})
