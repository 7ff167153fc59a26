import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { t, test } from 'tap'
import { maxSearched } from '../../../modules/work/dependencies.ts'
import { createPartner } from '../../credentials.ts'
import { startWorld } from './world.ts'

const world = await startWorld(t)
const { call, database } = world
const { db } = database
const { partnerId } = world.partner
const project = await world.project()

const tasks = async (count: number): Promise<string[]> => {
  const made = await Promise.all(Array.from({ length: count }, () => world.task({ projectId: project.id })))
  return made.map(({ id }) => id)
}

/** Updates the statistics of the tables, so that the planner uses the index. */
const analyse = async (): Promise<void> => {
  await sql`analyze tasks, task_dependencies`.execute(db)
}

const dependOn = (id: string, dependsOn: string[]) => call('PATCH', `/v1/tasks/${id}`, { dependsOn })

/** Whether the stored dependencies have no cycle. */
const isAcyclic = async (): Promise<boolean> => {
  const { rows } = await sql`
    with recursive reached (origin, id) as (
      select task_id, depends_on_id from task_dependencies
      union select reached.origin, d.depends_on_id from reached join task_dependencies d on d.task_id = reached.id
    ) select from reached where origin = id limit 1`.execute(db)
  return rows.length === 0
}

test('a dependency that closes a cycle is rejected with the cycle, and changes nothing', async () => {
  const [a = '', b = '', c = '', d = ''] = await tasks(4)
  await dependOn(a, [b])
  await dependOn(b, [d, c])
  const { status, body } = await call('PATCH', `/v1/tasks/${c}`, { title: 'Changed', dependsOn: [d, a] })
  assert.deepEqual([status, body.error, body.cycle], [422, 'cyclic_dependency', [c, a, b]])
  assert.equal(body.detail, `The dependencies form a cycle: ${c} → ${a} → ${b} → ${c}.`)
  const { title, dependsOn, version } = (await call('GET', `/v1/tasks/${c}`)).body
  assert.deepEqual([title, dependsOn, version], ['Review Q3 forecast', [], 1])
  assert.deepEqual((await dependOn(d, [d])).body.cycle, [d], 'a task does not wait for itself')
  assert.equal((await dependOn(b, [])).status, 200)
  assert.equal((await dependOn(c, [d, a])).status, 200, 'the cycle is broken elsewhere')
})

test('of two concurrent edits that together would form a cycle exactly one succeeds', async () => {
  for (let round = 0; round < 15; round++) {
    const [a = '', b = ''] = await tasks(2)
    const answers = await Promise.all([dependOn(a, [b]), dependOn(b, [a])])
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 422])
    const refused = answers.findIndex(({ status }) => status === 422)
    assert.deepEqual(answers[refused]?.body.cycle, refused === 0 ? [a, b] : [b, a])
  }
  assert.ok(await isAcyclic())
})

test('of concurrent edits that would close a long cycle exactly one is rejected, with the cycle', async () => {
  const ring = await tasks(12)
  const answers = await Promise.all(ring.map((id, index) => dependOn(id, [ring[(index + 1) % ring.length] ?? ''])))
  const refused = answers.filter(({ status }) => status !== 200)
  assert.deepEqual(
    refused.map(({ status, body }) => [status, body.error, body.cycle.length]),
    [[422, 'cyclic_dependency', 12]]
  )
  assert.ok(await isAcyclic())
})

test('concurrent creates, edits and deletes leave no cycle, no dangling edge and no server error', async () => {
  const ids = await tasks(10)
  const at = (n: number): string => ids[n % ids.length] ?? ''
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, n) => {
      if (n % 10 === 9) return call('DELETE', `/v1/tasks/${at((n - 9) / 10 + 4)}`)
      if (n % 5 === 3)
        return call('POST', '/v1/tasks', { projectId: project.id, title: 'New', dependsOn: [at(n), at(n + 3)] })
      return dependOn(at(n * 7), [at(n * 3 + 1), at(n * 5 + 2)])
    })
  )
  for (const { status, text } of answers) assert.ok([200, 201, 204, 404, 422].includes(status), text)
  assert.ok(await isAcyclic())
  const { items } = (await call('GET', '/v1/tasks?limit=500')).body
  const existing = new Set(items.map(({ id }: { id: string }) => id))
  for (const { dependsOn } of items) for (const id of dependsOn) assert.ok(existing.has(id))
})

test('the database itself rejects a cycle, a foreign task, a change and a 51st dependency', async () => {
  const [a = '', b = '', c = ''] = await tasks(3)
  const insert = (task_id: string, depends_on_id: string, ordinal = 1, partner_id = partnerId) =>
    db
      .insertInto('task_dependencies')
      .values({ partner_id, environment: 'test', task_id, depends_on_id, ordinal })
      .execute()
  await insert(a, b)
  await insert(b, c)
  await assert.rejects(insert(c, a), /would wait for itself/)
  await assert.rejects(insert(c, c), /check/)
  await assert.rejects(insert(a, c, 51), /check/)
  await assert.rejects(insert(a, c, 1), /unique/)
  await assert.rejects(
    db.updateTable('task_dependencies').set({ depends_on_id: a }).where('task_id', '=', b).execute(),
    /never changed/
  )
  const stranger = await createPartner(database)
  for (const owner of [partnerId, stranger.partnerId]) {
    const theirProject = (await call('POST', '/v1/projects', { name: 'Theirs' }, {}, stranger.testKey)).body
    const theirs = (
      await call('POST', '/v1/tasks', { projectId: theirProject.id, title: 'Theirs' }, {}, stranger.testKey)
    ).body
    await assert.rejects(insert(a, theirs.id, 2, owner), /foreign key/)
  }
})

/** Layers of 50 tasks, each of which depends on the whole layer below. */
const storeLayers = async (count: number): Promise<string[]> => {
  await sql`
    insert into tasks (id, partner_id, environment, project_id, title, priority, status, created_at, updated_at)
    select 'tsk_' || layer || '_' || place, ${partnerId}, 'test', ${project.id}, 'Made by the dozen', 'LOW', 'TODO', now(), now()
    from generate_series(1, ${count}::int) as layer, generate_series(1, 50) as place`.execute(db)
  await analyse()
  await sql`
    insert into task_dependencies (partner_id, environment, task_id, ordinal, depends_on_id)
    select ${partnerId}, 'test', 'tsk_' || layer || '_' || place, ordinal, 'tsk_' || (layer - 1) || '_' || ordinal
    from generate_series(2, ${count}::int) as layer, generate_series(1, 50) as place, generate_series(1, 50) as ordinal`.execute(
    db
  )
  await analyse()
  return Array.from({ length: count }, (_, index) => `tsk_${index + 1}_1`)
}

test('the search for cycles is bounded, and an edit beyond the bound is rejected', async () => {
  const layers = Math.ceil(maxSearched / 2500) + 2
  const ids = await storeLayers(layers)
  const [task = ''] = await tasks(1)
  const { status, body } = await dependOn(task, [ids.at(-1) ?? ''])
  assert.deepEqual([status, body.error, body.limit], [422, 'dependency_limit_reached', maxSearched])
  assert.equal(
    (await dependOn(task, [ids.at(-2) ?? ''])).status,
    200,
    'what is just within it is found to be without a cycle'
  )
  assert.deepEqual(
    (await dependOn(ids[0] ?? '', [task])).body.cycle?.length,
    layers,
    'and a cycle through all layers is found'
  )
})

test('deleting a task with very many dependents emits an event for each of them', async () => {
  const [popular = ''] = await tasks(1)
  const count = 14_000
  await sql`
    insert into tasks (id, partner_id, environment, project_id, title, priority, status, created_at, updated_at)
    select 'tsk_fan_' || n, ${partnerId}, 'test', ${project.id}, 'One of many', 'LOW', 'TODO', now(), now() from generate_series(1, ${count}::int) as n`.execute(
    db
  )
  await analyse()
  await sql`
    insert into task_dependencies (partner_id, environment, task_id, ordinal, depends_on_id)
    select ${partnerId}, 'test', 'tsk_fan_' || n, 1, ${popular} from generate_series(1, ${count}::int) as n`.execute(db)
  await analyse()
  const before = (await world.published()).length
  assert.equal((await call('DELETE', `/v1/tasks/${popular}`)).status, 204)
  const published = await world.published(before)
  assert.deepEqual(
    [published.length, new Set(published).size, published[0]],
    [count + 1, count + 1, `task.deleted ${popular}`]
  )
  assert.deepEqual((await call('GET', '/v1/tasks/tsk_fan_7')).body.version, 2)
})
