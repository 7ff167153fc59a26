import assert from 'node:assert/strict'
import { test } from 'tap'
import { atEndOfTurn } from '../../../plugins/operations/turn.ts'

const nextTurn = () => new Promise((done) => setImmediate(done))

test('what becomes ready in one turn of the event loop is carried out at its end, each once and in order', async () => {
  const done: string[] = []
  const add = atEndOfTurn((item: string) => void done.push(item))
  add('first')
  await Promise.resolve()
  add('second')
  assert.equal(done.length, 0)
  await nextTurn()
  assert.deepEqual(done, ['first', 'second'])
  add('third')
  await nextTurn()
  assert.deepEqual(done, ['first', 'second', 'third'])
})

test('what is added while the rest is carried out waits for the next turn', async () => {
  const done: number[] = []
  const add = atEndOfTurn((item: number) => {
    done.push(item)
    if (item === 1) add(2)
  })
  add(1)
  await nextTurn()
  assert.deepEqual(done, [1])
  await nextTurn()
  assert.deepEqual(done, [1, 2])
})
