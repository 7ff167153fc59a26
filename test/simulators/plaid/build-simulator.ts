import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Kysely } from 'kysely'
import { Configuration, CountryCode, PlaidApi, Products } from 'plaid'
import { t } from 'tap'
import { createDialect } from '../../../plugins/database/dialect.ts'
import { createPgliteEngine, openPglite } from '../../../plugins/database/pglite.ts'
import type { Database } from '../../../plugins/database/types.ts'
import { migrateToLatest } from '../../../simulators/migrate.ts'
import { createPlaidSimulator, type PlaidSimulatorOptions } from '../../../simulators/plaid/index.ts'
import type { Cleaner } from '../../test-database.ts'

export const credentials = { clientId: 'client-of-the-test', secret: 'secret-of-the-test' }

/** A clock that stands still until it is advanced. */
export class TestClock {
  #now: number
  constructor(iso = '2026-03-10T15:00:00.000Z') {
    this.#now = Date.parse(iso)
  }

  now(): Date {
    return new Date(this.#now)
  }

  advance(ms: number): void {
    this.#now += ms
  }
}

export const hours = (count: number) => count * 3_600_000
export const days = (count: number) => hours(24 * count)

let opened: Promise<Kysely<Database>> | undefined

/** The database of this test file. A new one takes seconds, and items of different tests do not interfere. */
export const openDatabase = async (): Promise<Kysely<Database>> => {
  opened ??= (async () => {
    const db = new Kysely<Database>({ dialect: createDialect(createPgliteEngine(await openPglite('memory://'))) })
    await migrateToLatest(db)
    return db
  })()
  return await opened
}

t.teardown(async () => {
  if (opened !== undefined) await (await opened).destroy()
})

/** A client of the real `plaid` package for a simulator at this URL. */
export const clientOf = (baseUrl: string, { clientId, secret } = credentials) =>
  new PlaidApi(
    new Configuration({
      basePath: baseUrl,
      baseOptions: { headers: { 'PLAID-CLIENT-ID': clientId, 'PLAID-SECRET': secret, 'Plaid-Version': '2020-09-14' } }
    })
  )

/** A simulator on a real socket. */
export const buildSimulator = async (t: Cleaner, options: Partial<PlaidSimulatorOptions> = {}) => {
  const db = options.db ?? (await openDatabase())
  const clock = new TestClock()
  const simulator = await createPlaidSimulator({ db, clock, ...credentials, ...options })
  t.teardown(async () => {
    await simulator.api.close()
  })
  const baseUrl = await simulator.api.listen({ host: '127.0.0.1', port: 0 })
  return { db, clock, baseUrl, plaid: clientOf(baseUrl), simulator }
}

/** Links an item without a browser. */
export const link = async (
  plaid: PlaidApi,
  options: { webhook?: string; products?: Products[]; days?: number; institution?: string; username?: string } = {}
) => {
  const {
    data: { public_token }
  } = await plaid.sandboxPublicTokenCreate({
    institution_id: options.institution ?? 'ins_109508',
    initial_products: options.products ?? [Products.Transactions, Products.Auth, Products.Transfer],
    options: {
      ...(options.webhook === undefined ? {} : { webhook: options.webhook }),
      ...(options.username === undefined ? {} : { override_username: options.username }),
      ...(options.days === undefined ? {} : { transactions: { days_requested: options.days } })
    }
  })
  const { data } = await plaid.itemPublicTokenExchange({ public_token })
  const {
    data: { accounts }
  } = await plaid.accountsGet({ access_token: data.access_token })
  const account = (mask: string) => {
    const found = accounts.find((candidate) => candidate.mask === mask)
    if (found === undefined) throw new Error(`no account ${mask}`)
    return found
  }
  return { accessToken: data.access_token, itemId: data.item_id, publicToken: public_token, accounts, account }
}

export const unitedStates = [CountryCode.Us]

export interface ReceivedWebhook {
  body: Record<string, unknown>
  raw: string
  verification: string
}

/** A real server that collects webhooks. It first returns 500 `refuse` times. */
export const receiveWebhooks = async (t: Cleaner, refuse = 0) => {
  const received: ReceivedWebhook[] = []
  let left = refuse
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString()
      if (left > 0) {
        left--
        response.writeHead(500).end()
        return
      }
      received.push({
        raw,
        body: JSON.parse(raw) as Record<string, unknown>,
        verification: String(request.headers['plaid-verification'])
      })
      response.end('{}')
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received }
}

/** Plaid's error object of a rejected call. */
export const refusal = async (
  call: Promise<unknown>
): Promise<{ status: number; error_type: string; error_code: string; error_message: string; request_id: string }> => {
  try {
    await call
  } catch (error) {
    const response = (error as { response?: { status: number; data: Record<string, string> } }).response
    if (response === undefined) throw error
    return {
      error_type: '',
      error_code: '',
      error_message: '',
      request_id: '',
      ...response.data,
      status: response.status
    }
  }
  throw new Error('the call was expected to fail')
}
