import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { search } from '../../search.ts'
import { startWorld, type World } from './world.ts'

/** Tasks are picked by number from the existing ones and, where noted, from deleted ones. */
type Step =
  | { do: 'create'; dependsOn: number[] }
  | { do: 'rewire'; task: number; dependsOn: number[]; stale: boolean }
  | { do: 'rename'; task: number }
  | { do: 'delete'; task: number; stale: boolean }

const pick = fc.nat({ max: 40 })
const picks = fc.array(pick, { maxLength: 4 })
const stale = fc.integer({ min: 0, max: 7 }).map((n) => n === 0)

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('create' as const), dependsOn: picks }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('rewire' as const), task: pick, dependsOn: picks, stale }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rename' as const), task: pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), task: pick, stale }) }
)

interface ModelTask {
  dependsOn: string[]
  version: number
}

/** The tasks as a map, written as simply as possible. */
class Model {
  readonly tasks = new Map<string, ModelTask>()
  /** Every id that ever was, so that steps also name deleted tasks. */
  readonly ids: string[] = []

  at(pick: number): string {
    return this.ids[pick % Math.max(1, this.ids.length)] ?? 'tsk_none'
  }

  waitsFor(id: string, other: string): boolean {
    return id === other || (this.tasks.get(id)?.dependsOn ?? []).some((next) => this.waitsFor(next, other))
  }

  /** The error code of writing this list, or undefined. */
  refusal(id: string | undefined, dependsOn: string[]): string | undefined {
    if (dependsOn.some((other) => !this.tasks.has(other))) return 'unknown_dependency'
    if (id !== undefined && dependsOn.some((other) => this.waitsFor(other, id))) return 'cyclic_dependency'
    return undefined
  }

  delete(id: string): void {
    this.tasks.delete(id)
    for (const task of this.tasks.values()) {
      if (!task.dependsOn.includes(id)) continue
      task.dependsOn = task.dependsOn.filter((other) => other !== id)
      task.version++
    }
  }
}

/** Asserts that a reported cycle is one: each task depends on the next, and the last on the first. */
const assertCycle = (model: Model, cycle: string[], id: string, wanted: string[]): void => {
  assert.equal(cycle[0], id)
  for (const [index, task] of cycle.entries()) {
    const dependsOn = task === id ? wanted : model.tasks.get(task)?.dependsOn
    assert.ok(dependsOn?.includes(cycle[(index + 1) % cycle.length] ?? ''), `${task} in ${cycle.join(', ')}`)
  }
}

/** Takes one step in the world and in the model, compares the results, and returns the outcome. */
const take = async (world: World, projectId: string, model: Model, step: Step): Promise<string> => {
  if (step.do === 'create') {
    const dependsOn = step.dependsOn.map((n) => model.at(n))
    const { status, body } = await world.call('POST', '/v1/tasks', { projectId, title: 'A task', dependsOn })
    const refusal = model.refusal(undefined, dependsOn)
    assert.deepEqual([status, body.error], refusal === undefined ? [201, undefined] : [422, refusal])
    if (refusal !== undefined) return refusal
    model.ids.push(body.id)
    model.tasks.set(body.id, { dependsOn: [...new Set(dependsOn)], version: 1 })
    return 'created'
  }
  const id = model.at(step.task)
  const task = model.tasks.get(id)
  const isStale = step.do !== 'rename' && step.stale
  const headers: Record<string, string> =
    task === undefined || step.do === 'rename' ? {} : { 'if-match': String(task.version - (isStale ? 1 : 0)) }
  const dependsOn = step.do === 'rewire' ? step.dependsOn.map((n) => model.at(n)) : undefined
  const body =
    step.do === 'delete' ? undefined : { ...(dependsOn === undefined ? { title: 'Renamed' } : { dependsOn }) }
  const answer = await world.call(step.do === 'delete' ? 'DELETE' : 'PATCH', `/v1/tasks/${id}`, body, headers)
  const expected =
    task === undefined
      ? 'not_found'
      : isStale
        ? 'version_conflict'
        : dependsOn === undefined
          ? undefined
          : model.refusal(id, dependsOn)
  assert.equal(answer.body?.error, expected, answer.text)
  if (expected === 'version_conflict') assert.equal(answer.body.version, task?.version)
  if (expected === 'cyclic_dependency') assertCycle(model, answer.body.cycle, id, dependsOn ?? [])
  if (expected !== undefined || task === undefined) return expected ?? ''
  if (step.do === 'delete') {
    model.delete(id)
    return 'deleted'
  }
  task.version++
  if (dependsOn !== undefined) task.dependsOn = [...new Set(dependsOn)]
  assert.equal(answer.body.version, task.version)
  return step.do
}

const assertHolds = async (world: World, projectId: string, model: Model): Promise<void> => {
  const rows = await world.database.db
    .selectFrom('tasks')
    .select(['id', 'version'])
    .where('project_id', '=', projectId)
    .execute()
  assert.deepEqual(
    new Map(rows.map(({ id, version }) => [id, version])),
    new Map([...model.tasks].map(([id, { version }]) => [id, version]))
  )
  const expected = [...model.tasks].flatMap(([id, { dependsOn }]) => dependsOn.map((other) => `${id} → ${other}`))
  const own = new Set(model.ids)
  assert.deepEqual(
    (await world.graph()).filter((line) => own.has(line.split(' ', 1)[0] ?? '')),
    expected.sort()
  )
  // Peeled from its ends, a graph without cycles comes apart completely.
  const left = new Map([...model.tasks].map(([id, { dependsOn }]) => [id, new Set(dependsOn)]))
  for (let peeled = -1; peeled !== left.size;) {
    peeled = left.size
    for (const [id, dependsOn] of left) if ([...dependsOn].every((other) => !left.has(other))) left.delete(id)
  }
  assert.equal(left.size, 0)
}

test('the graph matches the model and has no cycle after any order of creates, edits and deletes', async (t) => {
  const world = await startWorld(t)
  const reached = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 15, maxLength: 30 }), async (steps) => {
      const { id } = await world.project()
      const model = new Model()
      const begin: Step[] = Array.from({ length: 5 }, () => ({ do: 'create', dependsOn: [] }))
      for (const step of [...begin, ...steps]) {
        reached.add(await take(world, id, model, step))
        await assertHolds(world, id, model)
      }
      for (const [task, { dependsOn }] of model.tasks)
        assert.deepEqual((await world.call('GET', `/v1/tasks/${task}`)).body.dependsOn, dependsOn)
    }),
    // The last assertion covers what these runs reached.
    search(7)
  )
  // A property that never reaches an outcome proves nothing about it.
  assert.deepEqual([...reached].sort(), [
    'created',
    'cyclic_dependency',
    'deleted',
    'not_found',
    'rename',
    'rewire',
    'unknown_dependency',
    'version_conflict'
  ])
})
