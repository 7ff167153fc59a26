import assert from 'node:assert/strict'
import { syncJob, sweepJob } from '../../../modules/payments/background.ts'
import { startApp, type Cleaner, type TestApp, type TestOptions } from '../../build-app.ts'
import { createPartner, send, type Answered, type TestPartner } from '../../credentials.ts'

export interface Accounts {
  itemId: string
  /** 100.00 available. */
  checking: string
  /** 200.00 available. */
  savings: string
  moneyMarket: string
  credit: string
}

export interface World extends TestApp {
  partner: TestPartner
  get(path: string, key?: string): Promise<Answered>
  post(path: string, body?: unknown, key?: string, headers?: Record<string, string>): Promise<Answered>
  link(userId?: string, key?: string): Promise<Accounts>
  recipient(key?: string): Promise<string>
  /** Sends money and asserts that it was accepted. */
  transfer(body: Record<string, unknown>): Promise<Record<string, unknown> & { id: string }>
  simulate(id: string, event: string, leg?: string): Promise<Answered>
  sync(): Promise<void>
  sweep(): Promise<void>
  /** The types of the partner's events, oldest first. */
  published(id: string): Promise<string[]>
}

const validNumbers = { routing_number: '021000021', account_number: '000123456789', account_type: 'checking' }

export const simulatorOf = ({ app }: Pick<TestApp, 'app'>) => {
  const { plaid: simulator } = app.simulators
  assert(simulator !== undefined)
  return simulator
}

/** The real server with the built-in simulator and one partner. */
export const startWorld = async (t: Cleaner, options: TestOptions & { partner?: TestPartner } = {}): Promise<World> => {
  const server = await startApp(t, options)
  // Transfers need no transactions, and fetching two years of them would take most of the time.
  await server.database.locks.tryAcquire('job sync items that changed')
  const partner = options.partner ?? (await createPartner(server.database))
  const post: World['post'] = (path, body, key = partner.testKey, headers = {}) =>
    send(server.url, 'POST', path, { key, body, headers })
  return {
    ...server,
    partner,
    post,
    get: (path, key = partner.testKey) => send(server.url, 'GET', path, { key }),
    async link(userId = 'usr_8M2nQ', key = partner.testKey) {
      const made = await post('/v1/sandbox/public_token', {}, key)
      const linked = await post('/v1/accounts/link', { public_token: made.body.public_token, user_id: userId }, key)
      assert.equal(linked.status, 200, linked.text)
      const accounts = linked.body.accounts as { account_id: string; mask: string }[]
      const of = (mask: string) => accounts.find((account) => account.mask === mask)?.account_id ?? ''
      return {
        itemId: linked.body.item_id,
        checking: of('0000'),
        savings: of('1111'),
        moneyMarket: of('4444'),
        credit: of('3333')
      }
    },
    async recipient(key = partner.testKey) {
      const made = await post('/v1/recipients', { name: 'Corner Coffee LLC', ...validNumbers }, key)
      assert.equal(made.status, 201, made.text)
      return made.body.id
    },
    async transfer(body) {
      const made = await post('/v1/transfers', body)
      assert.equal(made.status, 200, made.text)
      return made.body
    },
    simulate: (id, event, leg) =>
      post(`/v1/sandbox/transfers/${id}/simulate`, leg === undefined ? { event } : { event, leg }),
    async sync() {
      await simulatorOf(server).settled()
      await server.app.jobs.run(syncJob)
    },
    sweep: () => server.app.jobs.run(sweepJob),
    async published(id) {
      const rows = await server.database.db
        .selectFrom('events')
        .select(['type', 'data'])
        .where('type', 'like', 'transfer.%')
        .orderBy('position')
        .execute()
      return rows.filter(({ data }) => data.transfer_id === id).map(({ type }) => type)
    }
  }
}
