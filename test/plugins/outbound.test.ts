import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { test } from 'tap'
import { sendAttempt } from '../../modules/webhooks/attempt.ts'
import { endpointUrlFault } from '../../modules/webhooks/endpoint-url.ts'
import { isPublicAddress } from '../../plugins/outbound/addresses.ts'
import { createOutbound, UnresolvedName, type Resolve } from '../../plugins/outbound/index.ts'
import { createResolver } from '../../plugins/outbound/resolver.ts'
import { startReceiver, type Receiver } from '../modules/webhooks/setup.ts'
import type { Cleaner } from '../test-database.ts'
import { startDnsServer } from './outbound/dns-server.ts'

const forbidden = [
  '127.0.0.1',
  '127.255.255.254',
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '100.100.100.200',
  '192.0.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '168.63.129.16',
  '::',
  '::1',
  '[::1]',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'fc00::1',
  'fd00:ec2::254',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '::ffff:169.254.169.254',
  '::127.0.0.1',
  '::7f00:1',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::8.8.8.8',
  '64:ff9b:1::1',
  '2002:7f00:1::',
  '2002:808:808::1',
  '2001::1',
  '2001:0:4136:e378:8000:63bf:3fff:fdd2',
  '2001:db8::1',
  '2001:10::1',
  '100::1',
  '3fff::1',
  '5f00::1',
  '4000::1',
  '',
  'localhost',
  '1.2.3',
  'example.com'
]
const allowed = [
  '8.8.8.8',
  '1.1.1.1',
  '172.32.0.1',
  '100.128.0.1',
  '::ffff:8.8.8.8',
  '2606:4700:4700::1111',
  '2a00:1450:4001:81b::200e',
  '[2606:4700:4700::1111]'
]

test('public and other addresses are distinguished', async () => {
  for (const address of forbidden) assert.equal(isPublicAddress(address), false, address)
  for (const address of allowed) assert.equal(isPublicAddress(address), true, address)
})

test('a private address in a URL is detected in every notation', async () => {
  const rules = { http: true, private: false }
  const bad = [
    'http://127.1/',
    'http://0177.0.0.1/',
    'http://0x7f000001/',
    'http://2130706433/',
    'http://127.0.0.1./',
    'http://①②⑦.⓪.⓪.①/',
    'http://[::]/',
    'http://[::1]/',
    'http://[::ffff:7f00:1]/',
    'http://LOCALHOST/',
    'http://a.localhost/',
    'http://db.internal/',
    'http://169.254.169.254/',
    'http://0/'
  ]
  for (const url of bad) assert.equal(endpointUrlFault(url, rules), 'must lead to a public address', url)
  assert.equal(endpointUrlFault('http://example.com/', rules), undefined)
  assert.equal(endpointUrlFault('http://example.com/', { http: false, private: false }), 'must begin with https://')
  assert.equal(endpointUrlFault('http://127.0.0.1/', { http: true, private: true }), undefined)
})

const message = {
  deliveryId: 'dlv_1',
  eventType: 'task.created',
  body: '{}',
  signatures: { 'atlas-signature': 't=1,v1=00', 'x-atlas-signature': 'sha256=00' }
}

const resolveTo =
  (...results: LookupAddress[][]): Resolve =>
  async () =>
    results.length > 1 ? results.shift()! : results[0]!

const ip = (address: string): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })

const through = async (t: Cleaner, resolve: Resolve, host: string, receiver: Receiver, allowPrivate = false) => {
  const outbound = createOutbound({ allowPrivate, connectTimeoutMs: 2_000, resolve })
  t.teardown(() => outbound.destroy())
  return await sendAttempt(outbound, { ...message, url: receiver.url.replace('127.0.0.1', host) }, 2_000)
}

test('a name with any private address, in any form, gets no connection', async (t) => {
  const receiver = await startReceiver(t)
  for (const addresses of [
    [ip('127.0.0.1')],
    [ip('::ffff:127.0.0.1')],
    [ip('10.0.0.1'), ip('::1')],
    [ip('169.254.169.254')]
  ]) {
    const outcome = await through(t, resolveTo(addresses), 'public.example.com', receiver)
    assert.deepEqual([outcome.status, outcome.responseBody, outcome.error], [null, null, 'forbidden_address'])
  }
  assert.equal(receiver.received.length, 0)
})

test('a name that resolves to a public address first and a private one at connect is rejected', async (t) => {
  const receiver = await startReceiver(t)
  const resolve = resolveTo([ip('8.8.8.8')], [ip('127.0.0.1')])
  assert.ok(isPublicAddress((await resolve('rebinding.example.com'))[0]!.address))
  assert.equal((await through(t, resolve, 'rebinding.example.com', receiver)).error, 'forbidden_address')
  assert.equal(receiver.received.length, 0)
})

test('a literal private address, which is never resolved, gets no connection', async (t) => {
  const receiver = await startReceiver(t)
  for (const host of ['127.0.0.1', '[::ffff:127.0.0.1]', '[::1]', '0x7f.1', '0.0.0.0']) {
    assert.equal((await through(t, resolveTo([ip('8.8.8.8')]), host, receiver)).error, 'forbidden_address', host)
  }
  assert.equal(receiver.received.length, 0)
})

test('a name reaches private addresses where they are allowed', async (t) => {
  const receiver = await startReceiver(t)
  assert.equal((await through(t, resolveTo([ip('127.0.0.1')]), 'inside.example.com', receiver, true)).status, 200)
  assert.equal(receiver.received[0]?.headers.host?.split(':')[0], 'inside.example.com')
})

test('an endpoint that hangs before or after its response head times out', async (t) => {
  const receiver = await startReceiver(t, () => undefined)
  const outbound = createOutbound({ allowPrivate: true, connectTimeoutMs: 2_000 })
  t.teardown(() => outbound.destroy())
  const silent = await sendAttempt(outbound, { ...message, url: receiver.url }, 200)
  assert.deepEqual([silent.status, silent.error], [null, 'timeout'])
  receiver.behave((_request, response) => {
    response.writeHead(200)
    response.write('begun')
  })
  const trickling = await sendAttempt(outbound, { ...message, url: receiver.url }, 500)
  assert.deepEqual([trickling.status, trickling.responseBody, trickling.error], [200, 'begun', null])
})

test('a refused connection and an unknown name have different errors', async (t) => {
  const outbound = createOutbound({
    allowPrivate: true,
    connectTimeoutMs: 2_000,
    resolve: async (hostname) => {
      if (hostname === 'localhost') return [ip('127.0.0.1')]
      throw new UnresolvedName('The name does not exist.')
    }
  })
  t.teardown(() => outbound.destroy())
  assert.equal(
    (await sendAttempt(outbound, { ...message, url: 'http://localhost:1/' }, 2_000)).error,
    'connection_refused'
  )
  assert.equal(
    (await sendAttempt(outbound, { ...message, url: 'http://nowhere.invalid/' }, 2_000)).error,
    'dns_failure'
  )
})

test('an unresolvable name fails only the delivery, whether or not private addresses are allowed', async (t) => {
  const dns = await startDnsServer(t, () => 'no such name')
  for (const allowPrivate of [true, false]) {
    const resolve = createResolver({ servers: [dns.address], usesSystem: allowPrivate })
    const outbound = createOutbound({ allowPrivate, connectTimeoutMs: 5_000, resolve })
    t.teardown(() => outbound.destroy())
    assert.equal(
      (await sendAttempt(outbound, { ...message, url: 'http://nowhere.invalid/' }, 5_000)).error,
      'dns_failure'
    )
  }
})
