import assert from 'node:assert/strict'
import { test } from 'tap'
import { startApp } from '../../build-app.ts'

const name = 'a job of this test'
const never = 2 ** 31 - 1

test('a run requested during another starts once that one has ended', async (t) => {
  let runs = 0
  let finish = (): void => undefined
  const { app } = await startApp(t, {
    extend: ({ jobs }) =>
      jobs.every(name, never, async () => {
        runs += 1
        if (runs === 1) await new Promise<void>((resolve) => (finish = resolve))
      })
  })
  app.jobs.prompter(name)()
  while (runs === 0) await new Promise(setImmediate)
  const second = app.jobs.run(name)
  finish()
  await second
  assert.equal(runs, 2)
})
