import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { test } from 'tap'
import { startWorld } from './world.ts'

const host = 'https://atlasforgefinancial.com'

/** The commands of the API reference, as printed there. */
const linkExample = `curl -X POST https://atlasforgefinancial.com/v1/accounts/link \\
  -H "Authorization: Bearer $ATLAS_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "public_token": "public-sandbox-9e2a...",
    "user_id": "usr_8M2nQ",
    "institution": { "institution_id": "ins_109508", "name": "Sandbox Bank" }
  }'`
const accountsExample = `curl "https://atlasforgefinancial.com/v1/accounts?user_id=usr_8M2nQ" \\
  -H "Authorization: Bearer $ATLAS_KEY"`
const transactionsExample = `curl "https://atlasforgefinancial.com/v1/transactions?user_id=usr_8M2nQ&limit=2" \\
  -H "Authorization: Bearer $ATLAS_KEY"`

test('the printed commands, with host, key and token set, link a bank and read accounts and transactions', async (t) => {
  const world = await startWorld(t)
  const run = async (command: string): Promise<Record<string, unknown>> => {
    const { stdout } = await promisify(execFile)('sh', ['-c', command.replace(host, world.url)], {
      env: { ...process.env, ATLAS_KEY: world.partner.testKey }
    })
    return JSON.parse(stdout) as Record<string, unknown>
  }
  const { public_token } = (await world.post('/v1/sandbox/public_token')).body
  const linked = await run(linkExample.replace('public-sandbox-9e2a...', public_token))
  assert.deepEqual(Object.keys(linked), ['item_id', 'institution', 'accounts'])
  assert.deepEqual(linked.institution, { institution_id: 'ins_109508', name: 'Sandbox Bank' })
  const [checking] = linked.accounts as Record<string, unknown>[]
  const documented = [
    'account_id',
    'name',
    'mask',
    'type',
    'subtype',
    'current_balance',
    'available_balance',
    'iso_currency_code'
  ]
  assert.deepEqual(Object.keys(checking ?? {}), documented)
  assert.deepEqual(
    [checking?.name, checking?.current_balance, checking?.available_balance],
    ['Plaid Checking', 110, 100]
  )

  const [listed] = (await run(accountsExample)).accounts as Record<string, unknown>[]
  for (const name of documented) assert.deepEqual(listed?.[name], checking?.[name], name)
  assert.deepEqual([listed?.as_of, listed?.stale], ['2026-06-14T18:00:00.000Z', false])

  const page = await run(transactionsExample)
  const transactions = page.transactions as Record<string, unknown>[]
  assert.equal(transactions.length, 2)
  for (const name of [
    'transaction_id',
    'account_id',
    'merchant_name',
    'amount',
    'iso_currency_code',
    'date',
    'pending',
    'personal_finance_category_primary'
  ]) {
    assert(name in (transactions[0] ?? {}), name)
  }
  assert.deepEqual([typeof page.next_cursor, page.has_more], ['string', true])
  const next = await run(transactionsExample)
  assert.notDeepEqual(next.transactions, page.transactions, 'running the command again returns the next page')
})
