import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastify from 'fastify'
import together from '../../plugins/together.ts'

const unexpected = (error: unknown): never => {
  throw error
}

const nextTurn = () => new Promise((done) => setImmediate(done))

test('answers that become ready in one turn leave at its end, in their order, and one that cannot be sent holds up none of the others', async () => {
  const app = fastify()
  await app.register(together)
  const sent: string[] = []
  const failed: unknown[] = []
  const broken = new Error('broken')
  app.sendTogether(() => sent.push('first'), unexpected)
  app.sendTogether(() => unexpected(broken), (error) => failed.push(error))
  app.sendTogether(() => sent.push('third'), unexpected)
  await Promise.resolve()
  assert.equal(sent.length, 0)
  await nextTurn()
  assert.deepEqual([sent, failed], [['first', 'third'], [broken]])
  app.sendTogether(() => sent.push('later'), unexpected)
  await nextTurn()
  assert.deepEqual(sent, ['first', 'third', 'later'])
})
