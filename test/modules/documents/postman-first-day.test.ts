import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { ensureDemoPartner } from '../../../modules/identity/index.ts'
import { rateLimits } from '../../../spec/generated/index.ts'
import { startApp } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'
import { downloadPostmanFiles, faultsOf, runFiles } from '../../run-collection.ts'

const server = await startApp(t)
const files = await downloadPostmanFiles(server.url)
const stepCount = files.collection.item.flatMap((folder) => folder.item).length

/** The first calls of the README. */
const makeFirstCalls = async (url: string, key: string): Promise<void> => {
  const institution_id = 'ins_109508'
  const { body } = await send(url, 'POST', '/v1/sandbox/public_token', { key, body: { institution_id } })
  const institution = { institution_id, name: 'First Platypus Bank' }
  const link = { public_token: body.public_token, user_id: 'usr_1', institution }
  assert.equal((await send(url, 'POST', '/v1/accounts/link', { key, body: link })).status, 200)
  for (const path of ['/v1/accounts?user_id=usr_1', '/v1/transactions?user_id=usr_1&limit=5'])
    assert.equal((await send(url, 'GET', path, { key })).status, 200)
}

test('after the README’s first calls, the collection passes within the rate limits', async (t) => {
  const { app, url } = await startApp(t, { rateLimits })
  const demo = await ensureDemoPartner(app)
  assert.ok(demo !== undefined)
  await makeFirstCalls(url, demo.testKey)
  const summary = await runFiles(await downloadPostmanFiles(url), { apiKey: demo.testKey })
  assert.deepEqual(faultsOf(summary), [])
  assert.deepEqual([...summary.skipped], [])
  assert.equal(summary.run.executions.length, stepCount)
})

const reads = ['accounts', 'transactions', 'transfers', 'recipients', 'calculations', 'insights', 'webhooks', 'tasks']
const narrow: [title: string, scopes: string[]][] = [
  ['that reads', reads.map((name) => `${name}:read`)],
  ['that links accounts and creates tasks', ['accounts:write', 'insights:read', 'tasks:write']],
  ['without scopes', []]
]

for (const [title, scopes] of narrow) {
  test(`with a token ${title}, the collection passes and skips the rest, naming the scopes`, async () => {
    const partner = await createPartner(server.database)
    const summary = await runFiles(files, { apiKey: await partner.token(scopes) })
    assert.deepEqual(faultsOf(summary), [])
    const { skipped } = summary
    for (const [name, reason] of skipped) {
      const named = reason.match(/[a-z]+:(read|write)/g) ?? []
      assert.ok(
        named.some((scope) => !scopes.includes(scope)),
        `${name}: ${reason}`
      )
    }
    assert.equal(skipped.has('Create a webhook endpoint'), true)
    assert.equal(skipped.get('List projects'), 'the token lacks the scope projects:read')
    // Requests that need what a skipped one saves are skipped as well, and those within the scopes are sent.
    assert.match(skipped.get('Get a webhook endpoint') ?? '', /webhooks:(read|write)/)
    assert.equal(skipped.has('List accounts'), !scopes.includes('accounts:read'))
    assert.equal(skipped.has('Link accounts'), !scopes.includes('accounts:write'))
    assert.equal(skipped.has("Forecast an end-user's cash flow"), !scopes.includes('accounts:write'))
  })
}
