import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { findCycle, type Dependency } from '../../../modules/work/cycles.ts'
import { search } from '../../search.ts'

/** The length of the shortest path between two tasks, by trying ever longer ones; undefined when there is none. */
const distance = (known: Dependency[], from: string, to: string): number | undefined => {
  let reached = new Set([from])
  for (let steps = 0; steps <= known.length; steps++) {
    if (reached.has(to)) return steps
    reached = new Set([
      ...reached,
      ...known.filter(({ taskId }) => reached.has(taskId)).map(({ dependsOnId }) => dependsOnId)
    ])
  }
  return undefined
}

const task = fc.integer({ min: 0, max: 7 }).map((n) => `t${n}`)
const dependency = fc
  .record({ taskId: task, dependsOnId: task })
  .filter(({ taskId, dependsOnId }) => taskId !== dependsOnId)

test('the shortest cycle is found, and none if there is none', async () => {
  let cycles = 0
  fc.assert(
    fc.property(fc.array(dependency, { maxLength: 14 }), fc.uniqueArray(task, { maxLength: 3 }), (all, dependsOn) => {
      const known = all.filter(({ taskId }) => taskId !== 't0')
      const distances = dependsOn.map((id) => distance(known, id, 't0')).filter((steps) => steps !== undefined)
      const cycle = findCycle('t0', dependsOn, known)
      if (distances.length === 0) return assert.equal(cycle, undefined)
      cycles++
      assert.equal(cycle?.length, Math.min(...distances) + 1)
      const [first, ...others] = cycle
      assert.equal(first, 't0')
      assert.ok(dependsOn.includes(others[0] ?? 't0'))
      for (const [index, id] of others.entries()) {
        assert.ok(known.some(({ taskId, dependsOnId }) => taskId === id && dependsOnId === (others[index + 1] ?? 't0')))
      }
    }),
    search(1000)
  )
  assert.ok(cycles > 100)
})
