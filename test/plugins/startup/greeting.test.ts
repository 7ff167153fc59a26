import assert from 'node:assert/strict'
import { test } from 'tap'
import { loadConfig } from '../../../plugins/config/index.ts'
import { localUrl, printGreeting } from '../../../plugins/startup/greeting.ts'
import { makeFolder } from '../../machines/programs.ts'

const demo = { testKey: 'afg_test_1', furnisherKey: 'afg_test_2', email: 'a@b.test', password: 'p', partnerId: '1' }

test('the greeting shows commands that reach this server with this key', async (t) => {
  const config = loadConfig({ ATLAS_DATA_DIR: makeFolder(t, 'greeting') })
  const usual = printGreeting({ config: { ...config, dataDir: '.atlas' }, url: localUrl('127.0.0.1', 3000), demo })
  assert.match(usual, /npm run quickstart\n/)
  assert.match(usual, /curl -H "Authorization: Bearer afg_test_1" "http:\/\/localhost:3000\/v1/)
  const elsewhere = printGreeting({ config, url: localUrl('::', 4000), demo })
  assert.match(elsewhere, /npm run quickstart -- --url http:\/\/localhost:4000 --key afg_test_1\n/)
  assert.match(elsewhere, /"http:\/\/localhost:4000\/v1/)
  const behindProxy = printGreeting({
    config: { ...config, publicUrl: 'https://api.example.com' },
    url: localUrl('0.0.0.0', 4000),
    demo: undefined
  })
  assert.match(behindProxy, /listens on http:\/\/localhost:4000\n/)
  assert.match(behindProxy, /Public URL {5}https:\/\/api\.example\.com\n/)
  assert.doesNotMatch(behindProxy, /curl .*api\.example\.com/)
})

test('the URL for programs of this machine names the address on which the server listens', async () => {
  assert.deepEqual(
    ['127.0.0.1', '::1', '192.0.2.7', '2001:db8::7'].map((host) => localUrl(host, 80)),
    ['http://localhost:80', 'http://localhost:80', 'http://192.0.2.7:80', 'http://[2001:db8::7]:80']
  )
})
