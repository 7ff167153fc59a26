import assert from 'node:assert/strict'
import { startApp, type Cleaner, type TestApp, type TestOptions } from '../../build-app.ts'
import { createPartner, send, type Answered, type TestPartner } from '../../credentials.ts'

export interface World extends TestApp {
  partner: TestPartner
  /** Sends a request with the partner's test key, or another one. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>, key?: string): Promise<Answered>
  project(name?: string): Promise<Answered['body']>
  /** Creates a task and asserts success. */
  task(body: Record<string, unknown>): Promise<Answered['body']>
  /** Events about the partner's tasks from number `from` on, as `type id`, oldest first. */
  published(from?: number): Promise<string[]>
  /** Every stored dependency as `task → dependency`, sorted. */
  graph(): Promise<string[]>
}

/** The real server and one partner. */
export const startWorld = async (t: Cleaner, options: TestOptions = {}): Promise<World> => {
  const server = await startApp(t, options)
  const partner = await createPartner(server.database)
  const call: World['call'] = (method, path, body, headers = {}, key = partner.testKey) =>
    send(server.url, method, path, { key, headers, ...(body === undefined ? {} : { body }) })
  const made = async (path: string, body: Record<string, unknown>): Promise<Answered['body']> => {
    const answer = await call('POST', path, body)
    assert.equal(answer.status, 201, answer.text)
    return answer.body
  }
  return {
    ...server,
    partner,
    call,
    project: (name = 'Quarterly close') => made('/v1/projects', { name }),
    task: (body) => made('/v1/tasks', { title: 'Review Q3 forecast', ...body }),
    async published(from = 0) {
      const rows = await server.database.db
        .selectFrom('events')
        .select(['type', 'data'])
        .where('partner_id', '=', partner.partnerId)
        .orderBy('position')
        .execute()
      return rows.slice(from).map(({ type, data }) => `${type} ${String(data.task_id)}`)
    },
    async graph() {
      const rows = await server.database.db
        .selectFrom('task_dependencies')
        .select(['task_id', 'depends_on_id'])
        .where('partner_id', '=', partner.partnerId)
        .execute()
      return rows.map(({ task_id, depends_on_id }) => `${task_id} → ${depends_on_id}`).sort()
    }
  }
}

/** Every item of a list, page by page. */
export const readPages = async (world: World, path: string, limit: number): Promise<Answered['body'][][]> => {
  const pages: Answered['body'][][] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const { status, body, text } = await world.call(
      'GET',
      `${path}${path.includes('?') ? '&' : '?'}limit=${limit}&cursor=${cursor}`
    )
    assert.equal(status, 200, text)
    pages.push(body.items)
    cursor = body.nextCursor
  }
  return pages
}
