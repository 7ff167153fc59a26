import assert from 'node:assert/strict'
import { ACHClass, TransferNetwork, TransferType } from 'plaid'
import { test } from 'tap'
import { buildSimulator, credentials, link, refusal } from './build-simulator.ts'

test("a planned error is returned as often as planned, with Plaid's status and codes", async (t) => {
  const {
    plaid,
    simulator: { faults }
  } = await buildSimulator(t)
  const { accessToken } = await link(plaid)
  const sync = () => plaid.transactionsSync({ access_token: accessToken })
  for (const [kind, status, type, code] of [
    ['ITEM_LOGIN_REQUIRED', 400, 'ITEM_ERROR', 'ITEM_LOGIN_REQUIRED'],
    ['RATE_LIMIT_EXCEEDED', 429, 'RATE_LIMIT_EXCEEDED', 'TRANSACTIONS_SYNC_LIMIT'],
    ['INTERNAL_SERVER_ERROR', 500, 'API_ERROR', 'INTERNAL_SERVER_ERROR'],
    [
      'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION',
      400,
      'TRANSACTIONS_ERROR',
      'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION'
    ]
  ] as const) {
    faults.next('/transactions/sync', kind, 2)
    await plaid.itemGet({ access_token: accessToken })
    for (let i = 0; i < 2; i++) {
      const refused = await refusal(sync())
      assert.deepEqual([refused.status, refused.error_type, refused.error_code], [status, type, code])
    }
    await sync()
  }
  faults.next('*', 'INTERNAL_SERVER_ERROR')
  assert.equal((await refusal(plaid.itemGet({ access_token: accessToken }))).status, 500)
  faults.next('*', 'drop')
  faults.clear()
  await plaid.itemGet({ access_token: accessToken })
})

test('a dropped request is not processed, and a dropped response is processed', async (t) => {
  const {
    plaid,
    simulator: { faults }
  } = await buildSimulator(t)
  const { accessToken, account } = await link(plaid)
  const {
    data: { authorization }
  } = await plaid.transferAuthorizationCreate({
    access_token: accessToken,
    account_id: account('0000').account_id,
    type: TransferType.Debit,
    network: TransferNetwork.Ach,
    amount: '10.00',
    ach_class: ACHClass.Web,
    user: { legal_name: 'Anne Charleston' }
  })
  const create = () =>
    plaid.transferCreate({
      access_token: accessToken,
      account_id: account('0000').account_id,
      authorization_id: authorization.id,
      description: 'payment'
    })
  const lost = async (call: Promise<unknown>) =>
    await assert.rejects(call, (error: { response?: unknown }) => error.response === undefined)
  faults.next('/transfer/create', 'drop')
  await lost(create())
  assert.equal((await refusal(plaid.transferGet({ authorization_id: authorization.id }))).error_code, 'INVALID_FIELD')
  faults.next('/transfer/create', 'drop_after')
  await lost(create())
  const {
    data: { transfer }
  } = await plaid.transferGet({ authorization_id: authorization.id })
  assert.equal((await create()).data.transfer.id, transfer.id)
  faults.next('/transfer/create', 'error_after')
  assert.equal((await refusal(create())).status, 500)
})

test("a delay can exceed a client's timeout, and faults can be planned over HTTP", async (t) => {
  const { plaid, baseUrl } = await buildSimulator(t)
  const { accessToken } = await link(plaid)
  const response = await fetch(`${baseUrl}/simulator/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_id: credentials.clientId,
      secret: credentials.secret,
      path: '/item/get',
      kind: 'slow',
      delay_ms: 400
    })
  })
  assert.equal(response.status, 200)
  await assert.rejects(plaid.itemGet({ access_token: accessToken }, { timeout: 50 }), { code: 'ECONNABORTED' })
  await plaid.itemGet({ access_token: accessToken })
  const anonymous = await fetch(`${baseUrl}/simulator/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}'
  })
  assert.equal(anonymous.status, 400)
})
