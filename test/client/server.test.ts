import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { AtlasProblem } from '../../client/index.ts'
import { methods } from '../../spec/generated/client-methods.ts'
import { allOperations } from '../../spec/generated/index.ts'
import { startApp } from '../build-app.ts'
import { createPartner } from '../credentials.ts'
import { clientOf } from './setup.ts'

const { url, database } = await startApp(t)

const withTasks = async (count: number) => {
  const { testKey } = await createPartner(database)
  const atlas = clientOf(url, testKey)
  const project = await atlas.projects.create({ name: 'Forecasts' })
  for (let number = 1; number <= count; number += 1)
    await atlas.tasks.create({ projectId: project.id, title: `Task ${number}` })
  return { atlas, testKey, projectId: project.id }
}

test('every operation of the specification has one client method, with its path and verb', async () => {
  const inClient = Object.values<Record<string, { verb: string; path: string }>>(methods).flatMap((entries) =>
    Object.values(entries).map(({ verb, path }) => `${verb} ${path}`)
  )
  assert.deepEqual(
    inClient.sort(),
    Object.values(allOperations)
      .map(({ method, path }) => `${method} ${path}`)
      .sort()
  )
})

test('the example of the reference runs: it lists tasks and creates one', async () => {
  const { testKey, projectId } = await withTasks(2)
  const atlas = clientOf(url, testKey)
  const { items } = await atlas.tasks.list({ limit: 50 })
  assert.equal(items.length, 2)
  const created = await atlas.tasks.create({ projectId, title: 'Review Q3 forecast', priority: 'HIGH' })
  assert.equal((await atlas.tasks.get(created.id)).title, 'Review Q3 forecast')
})

test('iterating over pages returns every item once, in both cursor conventions', async () => {
  const { atlas } = await withTasks(5)
  const titles: string[] = []
  for await (const task of atlas.tasks.list.all({ limit: 2 })) titles.push(task.title)
  assert.deepEqual(titles.sort(), ['Task 1', 'Task 2', 'Task 3', 'Task 4', 'Task 5'])

  const { public_token } = await atlas.sandbox.createPublicToken({ institution_id: 'ins_109508' })
  const { accounts } = await atlas.accounts.link({
    public_token,
    user_id: 'usr_1',
    institution: { institution_id: 'ins_109508', name: 'First Platypus Bank' }
  })
  assert.ok(accounts.length > 0)
  for (const name of ['One', 'Two', 'Three']) {
    await atlas.recipients.create({
      user_id: 'usr_1',
      name,
      routing_number: '011401533',
      account_number: '1111222233330000',
      account_type: 'checking'
    })
  }
  const names: string[] = []
  for await (const recipient of atlas.recipients.list.all({ limit: 1 })) names.push(recipient.name)
  assert.deepEqual(names.sort(), ['One', 'Three', 'Two'])

  // Iterating over a feed starts at its beginning, however far it was read before.
  await atlas.transactions.list({ user_id: 'usr_1', limit: 500 })
  const [seen, pageSizes] = [new Set<string>(), [] as number[]]
  for await (const page of atlas.transactions.list.pages({ user_id: 'usr_1', limit: 100 })) {
    pageSizes.push(page.transactions.length)
    for (const { transaction_id } of page.transactions) seen.add(transaction_id)
  }
  assert.ok(pageSizes.length > 1)
  assert.equal(
    seen.size,
    pageSizes.reduce((sum, size) => sum + size, 0)
  )

  const sequences: number[] = []
  for await (const event of atlas.events.list.all({ limit: 2 })) sequences.push(event.sequence)
  assert.ok(sequences.length > 2)
  assert.deepEqual(
    sequences,
    sequences.map((_, index) => (sequences[0] ?? 0) + index)
  )
})

test('an iteration requests no page beyond the consumed ones', async () => {
  const { testKey } = await withTasks(3)
  let requests = 0
  const atlas = clientOf(url, testKey, { fetch: (target, init) => ((requests += 1), fetch(target, init)) })
  for await (const task of atlas.tasks.list.all({ limit: 1 })) {
    assert.ok(task.id)
    break
  }
  assert.equal(requests, 1)
})

test('a lost response is replayed, and the task exists once', async () => {
  const { testKey, projectId } = await withTasks(0)
  const replayed: (string | null)[] = []
  const loseFirstResponse: typeof fetch = async (target, init) => {
    const response = await fetch(target, init)
    replayed.push(response.headers.get('idempotent-replayed'))
    if (replayed.length === 1) throw new TypeError('The connection is dead.')
    return response
  }
  const atlas = clientOf(url, testKey, { fetch: loseFirstResponse })
  const created = await atlas.tasks.create({ projectId, title: 'Once' })
  assert.deepEqual(replayed, [null, 'true'])
  assert.deepEqual(
    (await clientOf(url, testKey).tasks.list()).items.map(({ id }) => id),
    [created.id]
  )
})

test('an edit of an old version throws a typed problem with the current version', async () => {
  const { atlas, projectId } = await withTasks(0)
  const task = await atlas.tasks.create({ projectId, title: 'Draft' })
  const changed = await atlas.tasks.update(task.id, { title: 'Final' }, { ifMatch: task.version })
  await assert.rejects(atlas.tasks.update(task.id, { title: 'Other' }, { ifMatch: task.version }), (error) => {
    assert.ok(error instanceof AtlasProblem)
    assert.deepEqual([error.status, error.code, error.body['version']], [409, 'version_conflict', changed.version])
    return true
  })
  assert.equal(await atlas.tasks.delete(task.id, { ifMatch: changed.version }), undefined)
})

test('errors distinguish invalid fields from an unknown credential', async () => {
  const { atlas, projectId } = await withTasks(0)
  await assert.rejects(
    atlas.tasks.create({ projectId, title: '' }),
    (error) => error instanceof AtlasProblem && error.errors[0]?.path === 'body/title' && error.requestId !== undefined
  )
  await assert.rejects(clientOf(url, 'atlas_pat_wrong').tasks.list(), { status: 401, code: 'unauthorized' })
})

test('operations that return pages or YAML give text, and those that also offer JSON give JSON', async () => {
  const atlas = clientOf(url, null)
  assert.match(await atlas.documentation.getRedoc(), /<html/)
  assert.match(await atlas.documentation.getOpenapiYaml(), /^openapi: /)
  assert.ok((await atlas.errors.list()).errors.length > 5)
})
