import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { ConfigurationError, loadConfig } from '../../../plugins/config/index.ts'
import type { Cleaner } from '../../test-database.ts'

const temporaryDir = (t: Cleaner): string => {
  const dir = mkdtempSync(join(tmpdir(), 'atlas-config-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  return dir
}

test('production refuses to start and names every missing setting at once', async () => {
  assert.throws(
    () => loadConfig({ NODE_ENV: 'production' }),
    (error: unknown) =>
      error instanceof ConfigurationError &&
      ['DATABASE_URL', 'ATLAS_ENCRYPTION_KEY', 'ATLAS_JWT_SECRET'].every((name) => error.message.includes(name))
  )
})

test('an invalid setting is named, and its value is never echoed', async (t) => {
  const env = {
    ATLAS_DATA_DIR: temporaryDir(t),
    PORT: 'many',
    ATLAS_ENCRYPTION_KEY: 'c2hvcnQ=',
    PLAID_SECRET: 'plaid-secret-value',
    PUBLIC_API_RATE_OVERRIDES: '{'
  }
  assert.throws(
    () => loadConfig(env),
    (error: unknown) => {
      assert.ok(error instanceof ConfigurationError)
      for (const name of ['PORT', 'ATLAS_ENCRYPTION_KEY', 'PLAID_CLIENT_ID', 'PUBLIC_API_RATE_OVERRIDES'])
        assert.ok(error.message.includes(name), name)
      assert.ok(!error.message.includes('plaid-secret-value'))
      return true
    }
  )
})

test('the error lists every invalid setting with its fix, whichever rule it breaks', async (t) => {
  const env = {
    ATLAS_DATA_DIR: temporaryDir(t),
    NODE_ENV: 'staging',
    HOST: '  ',
    PORT: '70000',
    ATLAS_DOCS_ENABLED: 'maybe',
    DATABASE_URL: 'mysql://db/x',
    ATLAS_JWT_SECRET: 'short',
    STRIPE_SECRET_KEY: 'sk_test_x',
    ATLAS_METRICS_ENABLED: 'yes',
    ATLAS_METRICS_PORT: '70000'
  }
  assert.throws(
    () => loadConfig(env),
    (error: unknown) => {
      assert.ok(error instanceof ConfigurationError)
      assert.deepEqual(error.message.split('\n').sort(), [
        '  - ATLAS_DOCS_ENABLED is not valid. Set it to true or false.',
        '  - ATLAS_JWT_SECRET is not valid. Set it to 32 or more random characters, such as the output of `openssl rand -base64 48`.',
        '  - ATLAS_METRICS_PORT is not valid. Set it to a whole number from 0 to 65535.',
        '  - DATABASE_URL is not valid. Set it to a PostgreSQL URL, such as postgres://user:password@host:5432/atlasforge.',
        '  - NODE_ENV is not valid. Set it to one of development, test, production.',
        '  - PORT is not valid. Set it to a whole number from 0 to 65535.',
        '  - STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET belong together. Set both or neither.',
        'The configuration needs 7 corrections:'
      ])
      return true
    }
  )
})

test('flags accept true, yes, on and 1 in any case, and an empty setting means the default', async (t) => {
  const ATLAS_DATA_DIR = temporaryDir(t)
  for (const word of ['true', 'Yes', ' ON ', '1'])
    assert.equal(loadConfig({ ATLAS_DATA_DIR, ATLAS_TRUST_PROXY: word }).trustProxy, true, word)
  for (const word of ['false', 'NO', 'off', '0', ''])
    assert.equal(loadConfig({ ATLAS_DATA_DIR, ATLAS_TRUST_PROXY: word }).trustProxy, false, word)
  assert.equal(loadConfig({ ATLAS_DATA_DIR, PORT: '', NODE_ENV: 'test' }).port, 3000)
})

test('missing keys are generated once, readable only by their owner, and the same at the next start', async (t) => {
  const dir = temporaryDir(t)
  const first = loadConfig({ ATLAS_DATA_DIR: dir })
  const second = loadConfig({ ATLAS_DATA_DIR: dir })
  assert.deepEqual(first, second)
  assert.equal(statSync(join(dir, 'root.key')).mode & 0o777, 0o600)
  assert.ok(!JSON.stringify(first).includes(readFileSync(join(dir, 'root.key'), 'utf8')))
})

test('an empty ingest secret means none', async (t) => {
  assert.equal(loadConfig({ ATLAS_DATA_DIR: temporaryDir(t), ATLAS_INGEST_SECRET: '' }).ingestSecret, undefined)
})

test('documentation is enabled in development and disabled in production', async (t) => {
  const production = {
    NODE_ENV: 'production',
    DATABASE_URL: 'postgres://127.0.0.1/x',
    ATLAS_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
    ATLAS_JWT_SECRET: 'x'.repeat(32)
  }
  assert.equal(loadConfig({ ATLAS_DATA_DIR: temporaryDir(t) }).docsEnabled, true)
  assert.equal(loadConfig(production).docsEnabled, false)
  assert.equal(loadConfig({ ...production, ATLAS_DOCS_ENABLED: 'true' }).docsEnabled, true)
})

test("a Plaid base URL must accept paths and protect real credentials, and requires Plaid's keys", async (t) => {
  const keys = { ATLAS_DATA_DIR: temporaryDir(t), PLAID_CLIENT_ID: 'client', PLAID_SECRET: 'secret' }
  const real = { ...keys, PLAID_ENV: 'production' }
  assert.equal(
    loadConfig({ ...keys, PLAID_BASE_URL: 'http://proxy.internal:8080/plaid/' }).plaid.baseUrl,
    'http://proxy.internal:8080/plaid'
  )
  for (const url of ['https://proxy.internal', 'http://127.0.0.1:8080', 'http://[::1]:8080'])
    assert.equal(loadConfig({ ...real, PLAID_BASE_URL: url }).plaid.baseUrl, url)
  const wrong = [
    { ...real, PLAID_BASE_URL: 'http://proxy.internal' },
    { ...keys, PLAID_BASE_URL: 'https://proxy.internal/?key=1' },
    { ...keys, PLAID_BASE_URL: 'https://proxy.internal/#plaid' },
    { ...keys, PLAID_BASE_URL: 'https://user:password@proxy.internal' },
    { ...keys, PLAID_BASE_URL: 'ftp://proxy.internal' },
    { ATLAS_DATA_DIR: keys.ATLAS_DATA_DIR, PLAID_BASE_URL: 'https://proxy.internal' }
  ]
  for (const env of wrong) assert.throws(() => loadConfig(env), /PLAID_BASE_URL/, env.PLAID_BASE_URL)
})
