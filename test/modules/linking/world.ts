import assert from 'node:assert/strict'
import type { Transaction } from 'plaid'
import { transactionIdOf } from '../../../modules/linking/ids.ts'
import { tokenContext } from '../../../modules/linking/access-token.ts'
import { startApp, type Cleaner, type TestApp, type TestOptions } from '../../build-app.ts'
import { createPartner, send, type Answered, type TestPartner } from '../../credentials.ts'

export interface World extends TestApp {
  partner: TestPartner
  get(path: string, key?: string): Promise<Answered>
  post(path: string, body?: unknown, key?: string, headers?: Record<string, string>): Promise<Answered>
  /** Links a new sandbox item for an end-user and returns the response. */
  link(
    userId?: string,
    institutionId?: string
  ): Promise<{ itemId: string; publicToken: string; accounts: { account_id: string; mask: string }[] }>
  /** Waits until Plaid's webhooks have arrived and been processed in the background. */
  settle(): Promise<void>
  /** Plaid's own data of an item: every current transaction by our id, in wire format. */
  truthOf(itemId: string): Promise<Map<string, Record<string, unknown>>>
}

type PlaidTransaction = Pick<
  Transaction,
  | 'transaction_id'
  | 'account_id'
  | 'name'
  | 'amount'
  | 'iso_currency_code'
  | 'date'
  | 'authorized_date'
  | 'pending'
  | 'pending_transaction_id'
> & { merchant_name?: string | null; personal_finance_category?: { primary: string } | null }

export const simulatorOf = ({ app }: Pick<TestApp, 'app'>) => {
  const { plaid: simulator } = app.simulators
  assert(simulator !== undefined)
  return simulator
}

/** A transaction of Plaid as the feed shows it. */
export const wireOf = (
  itemId: string,
  accountIds: Map<string, string>,
  transaction: PlaidTransaction
): Record<string, unknown> => ({
  transaction_id: transactionIdOf(itemId, transaction.transaction_id),
  account_id: accountIds.get(transaction.account_id),
  merchant_name: transaction.merchant_name ?? null,
  name: transaction.name,
  amount: transaction.amount,
  iso_currency_code: transaction.iso_currency_code,
  date: transaction.date,
  authorized_date: transaction.authorized_date,
  pending: transaction.pending,
  pending_transaction_id:
    transaction.pending_transaction_id === null ? null : transactionIdOf(itemId, transaction.pending_transaction_id),
  personal_finance_category_primary: transaction.personal_finance_category?.primary ?? null
})

const readTruth = async (
  { app, database: { db } }: TestApp,
  itemId: string
): Promise<Map<string, Record<string, unknown>>> => {
  const item = await db.selectFrom('items').selectAll().where('id', '=', itemId).executeTakeFirstOrThrow()
  const accounts = await db
    .selectFrom('accounts')
    .select(['id', 'plaid_account_id'])
    .where('item_id', '=', itemId)
    .execute()
  const accountIds = new Map(accounts.map(({ id, plaid_account_id }) => [plaid_account_id, id]))
  const access_token = app.secrets.decrypt(item.access_token, tokenContext(itemId))
  const truth = new Map<string, Record<string, unknown>>()
  for (let cursor = ''; ;) {
    const page = await app.plaid
      .in('test')
      .call((api) => api.transactionsSync({ access_token, count: 500, ...(cursor === '' ? {} : { cursor }) }), {
        repeatable: true
      })
    for (const transaction of page.added) {
      const row = wireOf(itemId, accountIds, transaction)
      truth.set(String(row.transaction_id), row)
    }
    if (!page.has_more) return truth
    cursor = page.next_cursor
  }
}

/** The real server with the built-in simulator and one partner. `database` lets another server continue where one stopped. */
export const startWorld = async (t: Cleaner, options: TestOptions & { partner?: TestPartner } = {}): Promise<World> => {
  const server = await startApp(t, options)
  const partner = options.partner ?? (await createPartner(server.database))
  const post: World['post'] = (path, body = {}, key = partner.testKey, headers = {}) =>
    send(server.url, 'POST', path, { key, body, headers })
  return {
    ...server,
    partner,
    post,
    get: (path, key = partner.testKey) => send(server.url, 'GET', path, { key }),
    async link(userId = 'usr_8M2nQ', institutionId) {
      const made = await post(
        '/v1/sandbox/public_token',
        institutionId === undefined ? {} : { institution_id: institutionId }
      )
      assert.equal(made.status, 200, made.text)
      const linked = await post('/v1/accounts/link', { public_token: made.body.public_token, user_id: userId })
      assert.equal(linked.status, 200, linked.text)
      return { itemId: linked.body.item_id, publicToken: made.body.public_token, accounts: linked.body.accounts }
    },
    async settle() {
      await simulatorOf(server).settled()
      await server.app.jobs.run('sync items that changed')
    },
    truthOf: (itemId) => readTruth(server, itemId)
  }
}
