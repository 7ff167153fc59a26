import assert from 'node:assert/strict'
import { test } from 'tap'
import { createTurns } from '../../../modules/insights/turns.ts'

/** Work that ends when the test ends it. */
const createWork = () => {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const work = (name: string) => async (): Promise<string> => {
    begun.push(name)
    await new Promise<void>((resolve) => ends.set(name, resolve))
    return name
  }
  return { begun, work, end: (name: string) => ends.get(name)?.() }
}

test('a tenant has a bounded number of running and waiting tasks, which start in order', async () => {
  const turns = createTurns({ running: 2, waiting: 2 }, () => new Error('too many'))
  const { begun, work, end } = createWork()
  const tasks = ['a', 'b', 'c', 'd'].map((name) => turns.take('one', work(name)))
  await assert.rejects(turns.take('one', work('e')), /too many/)
  assert.deepEqual(begun, ['a', 'b'])
  end('b')
  await tasks[1]
  assert.deepEqual(begun, ['a', 'b', 'c'])
  tasks.push(turns.take('one', work('f')))
  for (const name of ['a', 'c', 'd', 'f']) {
    await new Promise(setImmediate)
    end(name)
  }
  assert.deepEqual(await Promise.all(tasks), ['a', 'b', 'c', 'd', 'f'])
})

test('one tenant does not delay another, and a failed task frees its place', async () => {
  const turns = createTurns({ running: 1, waiting: 1 }, () => new Error('too many'))
  const { begun, work, end } = createWork()
  const failing = turns.take('one', () => Promise.reject(new Error('broken')))
  const next = turns.take('one', work('a'))
  const other = turns.take('two', work('b'))
  assert.deepEqual(begun, ['b'])
  await assert.rejects(failing, /broken/)
  await new Promise(setImmediate)
  assert.deepEqual(begun, ['b', 'a'])
  end('a')
  end('b')
  assert.deepEqual(await Promise.all([next, other]), ['a', 'b'])
})
