import assert from 'node:assert/strict'
import { test } from 'tap'
import { findMiscounted } from '../../../modules/bureau/queries/recount.ts'
import { startApp } from '../../build-app.ts'
import { send } from '../../credentials.ts'
import { createOwner, openWorld } from './world.ts'

test('claiming an agent', async (t) => {
  const world = await openWorld(t)
  const { as, asOwner } = world
  const register = async (agent_id: string): Promise<string> =>
    (await as(undefined, 'POST', '/api/register', { agent_id })).body.api_key
  const claim = (agent_id: string, api_key?: string) => asOwner('POST', '/api/register', { agent_id, api_key })
  const spend = async (key: string): Promise<number> => (await as(key, 'POST', '/api/spend', { amount: 1 })).status

  await t.test(
    'a claim without the key replaces it, so the caller that registered the agent cannot spend',
    async () => {
      const old = await register('bait')
      const { status, body } = await claim('bait')
      assert.deepEqual([status, body.claimed, 'api_key' in body], [200, true, false])
      assert.equal(await spend(old), 401)
      const key = (await asOwner('GET', '/api/status?agent_id=bait')).body.agent.api_key
      assert.notEqual(key, old)
      assert.equal(await spend(key), 402)
    }
  )

  await t.test('a claim with the key leaves it unchanged', async () => {
    const key = await register('proven')
    assert.equal((await claim('proven', key)).body.claimed, true)
    assert.equal((await asOwner('GET', '/api/status?agent_id=proven')).body.agent.api_key, key)
    assert.equal(await spend(key), 402)
  })

  await t.test('a single request with the key, even a failing one, makes a claim require the key', async () => {
    const uses = [
      ['POST', '/api/spend', { amount: 1 }, 402],
      ['POST', '/api/spend', { amount: 'none' }, 400],
      ['GET', '/api/loans', undefined, 200]
    ] as const
    for (const [index, [method, path, body, status]] of uses.entries()) {
      const key = await register(`used-${index}`)
      assert.equal((await as(key, method, path, body)).status, status)
      const refused = await claim(`used-${index}`)
      assert.deepEqual([refused.status, refused.body.error], [403, 'claim_needs_key'])
      assert.equal(await spend(key), 402)
      assert.equal((await claim(`used-${index}`, key)).body.claimed, true)
    }
  })

  await t.test('a request at one instance counts at once at another', async () => {
    const other = await startApp(t, { database: world.database, clock: world.clock })
    const key = await register('elsewhere')
    await send(other.url, 'POST', '/api/spend', { key, body: { amount: 1 } })
    assert.equal((await claim('elsewhere')).body.error, 'claim_needs_key')
  })

  await t.test('a wrong key claims nothing and changes no key', async () => {
    const key = await register('guessed')
    const refused = await claim('guessed', 'afg_live_guess')
    assert.deepEqual([refused.status, refused.body.error], [403, 'claim_needs_key'])
    assert.equal(await spend(key), 402)
  })

  await t.test(
    'of ten concurrent claims one makes its user the owner, and only the owner sees the new key',
    async () => {
      const old = await register('contested')
      const owners = await Promise.all(Array.from({ length: 10 }, () => createOwner(world)))
      const responses = await Promise.all(
        owners.map(async (owner) => as(await owner.token(), 'POST', '/api/register', { agent_id: 'contested' }))
      )
      assert.deepEqual(responses.map(({ body }) => body.claimed).filter(Boolean), [true])
      const keys = await Promise.all(
        owners.map(async (owner) => (await as(await owner.token(), 'GET', '/api/status?agent_id=contested')).body.agent)
      )
      const [key, ...others] = keys.flatMap((agent) => ('api_key' in agent ? [String(agent.api_key)] : []))
      assert.deepEqual([others.length, await spend(old), await spend(String(key))], [0, 401, 402])
    }
  )

  await t.test('a checkout for an existing agent without an owner is rejected and does not claim it', async () => {
    const key = await register('found')
    const refused = await asOwner('POST', '/api/checkout', { agent_id: 'found', amount: 10 })
    assert.deepEqual([refused.status, refused.body.error], [403, 'claim_needs_key'])
    assert.equal((await asOwner('GET', '/api/status?agent_id=found')).body.is_owner, false)
    assert.equal(await spend(key), 402)
    assert.equal((await claim('found', key)).body.claimed, true)
    assert.equal((await asOwner('POST', '/api/checkout', { agent_id: 'found', amount: 10 })).status, 200)
    assert.equal((await asOwner('POST', '/api/checkout', { agent_id: 'brand-new', amount: 10 })).status, 200)
    assert.equal((await asOwner('GET', '/api/status?agent_id=brand-new')).body.is_owner, true)
  })

  await t.test('a claim excludes reports by its new owner, and a refused claim excludes none', async () => {
    const { owner, url } = world
    const key = await register('self-made')
    const report = { reporter_name: 'R', reporter_platform: 'p', report_type: 'payment_ontime', agent_id: 'self-made' }
    await as(undefined, 'POST', '/v2/api/register', { agent_id: 'self-made' })
    assert.equal((await as(owner.partner.testKey, 'POST', '/v2/api/report', report)).body.new_score, 518)
    const score = async () => Number((await send(url, 'GET', '/v2/api/score?agent_id=self-made')).body.score)
    assert.equal((await claim('self-made', 'afg_live_guess')).body.error, 'claim_needs_key')
    assert.equal(await score(), 518)
    const other = await createOwner(world)
    assert.equal((await claim('self-made', key)).body.claimed, true)
    assert.equal(await score(), 500)
    const late = await as(await other.token(), 'POST', '/api/register', { agent_id: 'self-made', api_key: key })
    assert.deepEqual([late.body.claimed, await score()], [false, 500])
    assert.deepEqual(await findMiscounted(world.database.db), [])
  })
})
