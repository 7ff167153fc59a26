import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import together from '../../plugins/together.ts'

/** A server that says so many requests are under way. */
const serverWith = async (requests: number): Promise<FastifyInstance> => {
  const app = fastify()
  const overload = fp((instance, _options, done) => done(void instance.decorate('requestsUnderWay', () => requests)), { name: 'overload' })
  await app.register(overload)
  await app.register(together)
  return app
}

const unexpected = (error: unknown): never => {
  throw error
}

const nextTurn = () => new Promise((done) => setImmediate(done))

test('an answer that nothing else is under way with leaves at once', async () => {
  const app = await serverWith(1)
  const sent: string[] = []
  app.sendTogether(() => sent.push('alone'), unexpected)
  assert.deepEqual(sent, ['alone'])
})

test('answers that become ready in one turn leave at its end, in their order, and one that cannot be sent holds up none of the others', async () => {
  const app = await serverWith(3)
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
