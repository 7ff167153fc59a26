import assert from 'node:assert/strict'
import { test } from 'tap'
import { sendAttempt } from '../../../modules/webhooks/attempt.ts'
import { createOutbound, UnresolvedName } from '../../../plugins/outbound/index.ts'
import { createResolver } from '../../../plugins/outbound/resolver.ts'
import { startReceiver } from '../../modules/webhooks/setup.ts'
import { startDnsServer } from './dns-server.ts'

const here = { address: '127.0.0.1', ttlSeconds: 600 }

const message = {
  deliveryId: 'dlv_1',
  eventType: 'task.created',
  body: '{}',
  signatures: { 'atlas-signature': 't=1,v1=00', 'x-atlas-signature': 'sha256=00' }
}

test('lookups at unresponsive name servers delay no other lookup', async (t) => {
  const dns = await startDnsServer(t, (name) => (name.startsWith('silent') ? 'silence' : here))
  const resolve = createResolver({ servers: [dns.address], timeoutMs: 60_000 })
  const ended: string[] = []
  // More than the process has threads.
  for (let n = 0; n < 40; n++)
    resolve(`silent-${n}.example.com`).then(
      () => ended.push('found'),
      () => ended.push('not found')
    )
  while (new Set(dns.queries).size < 40) await new Promise(setImmediate)
  assert.deepEqual(await resolve('quick.example.com'), [{ address: '127.0.0.1', family: 4 }])
  assert.deepEqual(ended, [])
})

test('a lookup has its own timeout, and then fails to resolve', async (t) => {
  const dns = await startDnsServer(t, () => 'silence')
  const receiver = await startReceiver(t)
  for (const usesSystem of [false, true]) {
    const resolve = createResolver({ servers: [dns.address], timeoutMs: 200, usesSystem })
    await assert.rejects(resolve('silent.example.com'), UnresolvedName)
    const outbound = createOutbound({ allowPrivate: true, connectTimeoutMs: 60_000, resolve })
    t.teardown(() => outbound.destroy())
    const url = receiver.url.replace('127.0.0.1', 'silent.example.com')
    const { status, error } = await sendAttempt(outbound, { ...message, url }, 60_000)
    assert.deepEqual([status, error], [null, 'dns_failure'])
  }
})

test('a name is queried once while it is cached, even by concurrent lookups', async (t) => {
  const dns = await startDnsServer(t, (name) => (name === 'none.example.com' ? 'no such name' : here))
  const resolve = createResolver({ servers: [dns.address] })
  await Promise.all(Array.from({ length: 20 }, () => resolve('one.example.com')))
  await resolve('one.example.com')
  for (let n = 0; n < 3; n++) await assert.rejects(resolve('none.example.com'), UnresolvedName)
  assert.deepEqual(dns.queries, ['one.example.com', 'none.example.com'])
})

test('a name is cached no longer than its time to live', async (t) => {
  const dns = await startDnsServer(t, () => ({ address: '127.0.0.1', ttlSeconds: 0 }))
  const resolve = createResolver({ servers: [dns.address] })
  await resolve('moving.example.com')
  await resolve('moving.example.com')
  assert.equal(dns.queries.length, 2)
})

test('the cache is bounded: a new name replaces the oldest', async (t) => {
  const dns = await startDnsServer(t, () => here)
  const resolve = createResolver({ servers: [dns.address], maxNames: 3 })
  for (const name of ['a', 'b', 'c', 'd', 'd', 'b', 'a']) await resolve(`${name}.example.com`)
  assert.deepEqual(
    dns.queries.map((name) => name[0]),
    ['a', 'b', 'c', 'd', 'a']
  )
})

test('localhost means this machine, without a DNS server', async (t) => {
  const dns = await startDnsServer(t, () => 'no such name')
  const resolve = createResolver({ servers: [dns.address] })
  for (const name of ['localhost', 'LOCALHOST.', 'a.localhost'])
    assert.deepEqual(
      (await resolve(name)).map(({ address }) => address),
      ['127.0.0.1', '::1'],
      name
    )
  assert.deepEqual(dns.queries, [])
})
