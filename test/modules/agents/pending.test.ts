import assert from 'node:assert/strict'
import { test } from 'tap'
import { openWorld } from './world.ts'

test('an agent has at most 20 pending approval requests, even when it sends many concurrently', async (t) => {
  const world = await openWorld(t)
  const key = await world.fund('eager', 1000)
  const other = await world.fund('patient', 1000)
  const requestApproval = (of: string) => world.as(of, 'POST', '/api/spend', { amount: 1, require_approval: true })
  const replies = await Promise.all(Array.from({ length: 40 }, () => requestApproval(key)))
  const refused = replies.filter(({ status }) => status !== 200)
  assert.equal(refused.length, 20)
  for (const { status, headers, body } of refused) {
    assert.deepEqual([status, body.error, headers.get('retry-after')], [429, 'too_many_pending', '60'])
    assert.equal(body.message, body.detail)
  }
  const pending = async () => (await world.asOwner('GET', '/api/approvals?status=pending')).body.approvals
  assert.equal((await pending()).length, 20)
  assert.equal((await requestApproval(other)).status, 200, 'another agent of the owner')
  assert.equal((await world.as(key, 'POST', '/api/spend', { amount: 1 })).status, 200, 'a spend without approval')
  const [{ approval_id }] = (await pending()).filter(({ agent_id }: { agent_id: string }) => agent_id === 'eager')
  await world.asOwner('POST', '/api/reject', { request_id: approval_id })
  assert.deepEqual(
    [(await requestApproval(key)).status, (await requestApproval(key)).status],
    [200, 429],
    'after one decision one more fits'
  )
  world.clock.advance(24 * 3_600_000)
  assert.equal((await requestApproval(key)).status, 200, 'after all have expired')
})
