import { randomBytes } from 'node:crypto'
import type { Operation } from '../../plugins/operations/table.ts'
import { identifiersOf, type Identifier, type Kind } from '../architecture/identifiers.ts'
import {
  linkItem,
  makeCredentials,
  createResources,
  makeDisputedReport,
  makeFurnishedAgent,
  makeReport,
  makeWork,
  moveMoney,
  openAccount,
  type Call,
  type Neighbour,
  type Resources
} from '../architecture/resources.ts'
import type { TestApp } from '../build-app.ts'
import { createPartner } from '../credentials.ts'

export type Values = (string | number)[]

/** What makers need from a tenant. */
export interface Owner {
  call: Call
  server: TestApp
  /** The access token of its user. */
  session: string
  /** Opens one more session of its user, and returns the id. */
  openSession: () => Promise<string>
  neighbour: Neighbour
  endUser: string
}

/** The maximum of new resources of a kind for one batch of requests. */
const mostFresh = 5

/** Kinds that a request uses up through its body. A resource in the path is used up by any method but GET. */
const usedUpByBody = new Set<Kind>(['publicToken', 'approval', 'creditAccount', 'account', 'agent', 'furnishedAgent'])

type Maker = (owner: Owner, base: Partial<Resources>) => Promise<Partial<Resources>>

const mark = (): string => randomBytes(6).toString('hex')

/** A webhook endpoint with a rare subscription. Otherwise every event would go to hundreds of endpoints. */
const makeQuietWebhook: Maker = async ({ call }) => {
  const webhook = String(
    (await call('POST', '/v1/webhooks', { url: 'http://127.0.0.1:9/hooks', events: ['transfer.returned'] })).id
  )
  return { webhook, delivery: String((await call('POST', `/v1/webhooks/${webhook}/test`)).id) }
}

/** An enrolled agent without a history. */
const makeAgentOnly: Maker = async ({ call, session }) => {
  const agent = String((await call('POST', '/api/register', { agent_id: `agent-${mark()}` }, session)).agent_id)
  await call('POST', '/v2/api/register', { agent_id: agent })
  return { agent }
}

/** An item of an end-user of its own: one end-user can have only so many, and those with transfers cannot be removed. */
const linkOwnItem = ({ call, endUser }: Owner) => linkItem(call, `${endUser}-${mark()}`)

const makers: Partial<Record<Kind, Maker>> = {
  // Never the tenant's own partner: an operator may set its rate limit to zero.
  partner: async ({ server }) => ({ partner: (await createPartner(server.database)).partnerId }),
  session: async ({ openSession }) => ({ session: await openSession() }),
  apiKey: ({ call, session }) => makeCredentials(call, session),
  token: ({ call, session }) => makeCredentials(call, session),
  item: linkOwnItem,
  publicToken: async ({ call }) => ({
    publicToken: String((await call('POST', '/v1/sandbox/public_token', {})).public_token)
  }),
  recipient: async ({ call }) => {
    const numbers = { routing_number: '021000021', account_number: '000123456789', account_type: 'checking' }
    return { recipient: String((await call('POST', '/v1/recipients', { name: 'Corner Coffee LLC', ...numbers })).id) }
  },
  // From an account without earlier transfers.
  transfer: async (owner) => moveMoney(owner.call, (await linkOwnItem(owner)).account, mark()),
  account: linkOwnItem,
  webhook: makeQuietWebhook,
  delivery: makeQuietWebhook,
  project: async ({ call }) => ({
    project: String((await call('POST', '/v1/projects', { name: 'Quarterly close' })).id)
  }),
  task: ({ call }) => makeWork(call),
  agent: makeAgentOnly,
  approval: async ({ call }, { agentKey = '' }) => ({
    approval: Number((await call('POST', '/api/spend', { amount: 1, require_approval: true }, agentKey)).approval_id)
  }),
  furnishedAgent: async ({ call, neighbour }) => ({
    furnishedAgent: await makeFurnishedAgent(call, neighbour, mark())
  }),
  creditAccount: async ({ call, neighbour }) => {
    const furnishedAgent = await makeFurnishedAgent(call, neighbour, mark())
    return { furnishedAgent, creditAccount: await openAccount(call, furnishedAgent) }
  },
  report: async (owner, base) => {
    const { agent = '' } = await makeAgentOnly(owner, base)
    return { report: await makeReport(owner.call, agent, owner.neighbour.key) }
  },
  furnishedReport: async ({ call, neighbour }, { furnishedAgent = '' }) => ({
    furnishedReport: await makeDisputedReport(call, neighbour, furnishedAgent)
  })
}

/** Pays back what the agent owes. */
const payBack = async ({ call }: Owner, agentKey: string): Promise<void> => {
  const { loans } = await call('GET', '/api/loans', undefined, agentKey)
  for (const { id, outstanding } of loans as { id: number; outstanding: number }[]) {
    if (outstanding > 0) await call('POST', `/api/loans/${id}/repay`, { amount: outstanding }, agentKey)
  }
}

/** A resource of which a tenant can have only so many. */
interface Bounded {
  /** Lists the newest ones. */
  list: (owner: Owner) => string
  /** How many of earlier requests may stay: with those that one batch creates, fewer than the limit. */
  most: number
  remove: (id: string) => [method: 'POST' | 'DELETE', path: string, body?: object]
}

const bounded: Bounded[] = [
  { list: () => '/v1/api-keys?limit=100', most: 50, remove: (id) => ['DELETE', `/v1/api-keys/${id}`] },
  { list: () => '/v1/tokens?limit=100', most: 50, remove: (id) => ['DELETE', `/v1/tokens/${id}`] },
  { list: () => '/v1/webhooks?limit=100', most: 20, remove: (id) => ['DELETE', `/v1/webhooks/${id}`] },
  {
    list: ({ endUser }) => `/v1/items?user_id=${endUser}&limit=100`,
    most: 20,
    remove: (id) => ['DELETE', `/v1/items/${id}`]
  },
  {
    list: () => '/api/approvals?status=pending&limit=100',
    most: 2,
    remove: (id) => ['POST', '/api/reject', { request_id: Number(id) }]
  }
]

const idsIn = ({ items, approvals }: Awaited<ReturnType<Call>>): string[] =>
  ((items ?? approvals) as { id?: string; item_id?: string; approval_id?: number }[]).map((each) =>
    String(each.id ?? each.item_id ?? each.approval_id)
  )

/** Real resources of one tenant, by kind. Those that an operation uses up are created anew for each batch of its requests. */
export class Stock {
  private values = new Map<Kind, Values>()
  /** The identifiers that `bounded` listed first. */
  private readonly kept: Set<string>[] = []
  private constructor(
    readonly owner: Owner,
    readonly base: Partial<Resources>
  ) {
    this.reset()
  }

  static async of(owner: Owner): Promise<Stock> {
    const resources = await createResources(owner.call, owner.session, owner.neighbour, owner.endUser, mark())
    const { items: events } = await owner.call('GET', '/v1/events?limit=1')
    const spare = await createPartner(owner.server.database)
    return new Stock(owner, {
      ...resources,
      endUser: owner.endUser,
      partner: spare.partnerId,
      session: await owner.openSession(),
      sequence: String(events[0].sequence)
    })
  }

  /** Restores the first resources, which no request ends. */
  reset(): void {
    this.values = new Map(Object.entries(this.base).map(([kind, value]) => [kind as Kind, [value]]))
  }

  /** An identifier of one of the tenant's resources; undefined for a kind without any. */
  pick(kind: Kind, index: number): string | number | undefined {
    const values = this.values.get(kind)
    return values?.[index % values.length]
  }

  /** The identifiers of resources that an operation ends or changes permanently. */
  static usedUp(operation: Operation): Identifier[] {
    return operation.method === 'GET'
      ? []
      : identifiersOf(operation).filter(
          ({ place, kind }) => makers[kind] !== undefined && (place === 'path' || usedUpByBody.has(kind))
        )
  }

  /** Removes what earlier requests created, where there could soon be too many. What was there first stays. */
  private async makeRoom(): Promise<void> {
    const { call, session } = this.owner
    for (const [index, { list, most, remove }] of bounded.entries()) {
      const ids = idsIn(await call('GET', list(this.owner), undefined, session))
      const kept = (this.kept[index] ??= new Set(ids))
      const extra = ids.filter((id) => !kept.has(id))
      if (extra.length <= most) continue
      await Promise.all(
        extra.map(async (id) => {
          const [method, path, body] = remove(id)
          await call(method, path, body, session)
        })
      )
    }
  }

  /** Creates new resources for the next `requests` requests of an operation. */
  async renew(operation: Operation, requests: number): Promise<void> {
    this.reset()
    const { agentKey = '' } = this.base
    if (operation.operationId === 'requestLoan') await payBack(this.owner, agentKey)
    if (operation.operationId === 'repayLoan') {
      await payBack(this.owner, agentKey)
      this.values.set('loan', [
        Number((await this.owner.call('POST', '/api/loans', { amount: 100 }, agentKey)).loan_id)
      ])
    }
    if (operation.method !== 'GET') await this.makeRoom()
    const kinds = Stock.usedUp(operation).map(({ kind }) => kind)
    // A new credit account comes with its own agent.
    for (const kind of kinds.filter((each) => each !== 'furnishedAgent' || !kinds.includes('creditAccount'))) {
      const maker = makers[kind]
      if (maker === undefined) continue
      const made = await Promise.all(
        Array.from({ length: Math.min(mostFresh, requests) }, () => maker(this.owner, this.base))
      )
      const [first = {}] = made
      for (const each of Object.keys(first) as (keyof Resources)[])
        this.values.set(
          each,
          made.flatMap((resources) => resources[each] ?? [])
        )
    }
  }
}
