import assert from 'node:assert/strict'
import { test } from 'tap'
import { startWorld } from './world.ts'

test("with autosettle a transfer settles by time alone, once the debit's banking days are over", async (t) => {
  const world = await startWorld(t, { env: { ATLAS_SANDBOX_AUTOSETTLE: 'true' } })
  world.clock.set('2026-06-15T14:00:00.000Z')
  const { checking, savings } = await world.link()
  const { id } = await world.transfer({ from_account_id: checking, to_account_id: savings, amount: 10, rail: 'ach' })
  const stateOn = async (day: string) => {
    world.clock.set(`${day}T23:00:00.000Z`)
    for (let turn = 0; turn < 3; turn++) await world.sync()
    return (await world.get(`/v1/transfers/${id}`)).body.status as string
  }
  assert.equal(await stateOn('2026-06-15'), 'submitted')
  assert.equal(await stateOn('2026-06-16'), 'posted')
  assert.equal(await stateOn('2026-06-17'), 'posted')
  assert.equal(await stateOn('2026-06-22'), 'settled')
})
