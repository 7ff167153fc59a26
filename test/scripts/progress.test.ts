import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import { countOf, durationOf, timeLeft, withProgress } from '../../scripts/progress.ts'
import { until } from '../machines/waiting.ts'

const recorder = (isTTY: boolean) => {
  const state = { text: '' }
  const output = new Writable({
    write(part: Buffer, _encoding, done) {
      state.text += part.toString()
      done()
    }
  })
  return { state, output: Object.assign(output, { isTTY }) }
}

test('on a terminal, long work shows what happens now and for how long, and leaves an empty line', async () => {
  const { state, output } = recorder(true)
  let step = 'Running 0001-core'
  const result = await withProgress(
    () => step,
    async () => {
      await until('the first step is shown', () => /Running 0001-core … \d+ s/.test(state.text))
      step = 'Analyzing events'
      await until('the second step is shown', () => /Analyzing events … \d+ s/.test(state.text))
      return 7
    },
    output
  )
  assert.equal(result, 7)
  assert.ok(state.text.endsWith('\r\u001b[K'))
  assert.doesNotMatch(state.text, /\n/)
})

test('short work prints nothing when its output is piped', async () => {
  const { state, output } = recorder(false)
  await withProgress('Checking', () => delay(1), output)
  assert.equal(state.text, '')
})

test('the time left follows the pace so far, and is not invented before there is one', async () => {
  assert.deepEqual(
    [timeLeft(0, 10, 5_000), timeLeft(2, 10, 5_000), timeLeft(1, 100, 6_000), timeLeft(10, 10, 5_000)],
    ['', ', about 20 s left', ', about 10 min left', '']
  )
  assert.deepEqual([durationOf(119_000), durationOf(120_000)], ['119 s', '2 min'])
})

test('counts use the singular for one', async () => {
  assert.deepEqual(
    [countOf(1, 'wallet'), countOf(0, 'wallet'), countOf(1, 'entr', 'y', 'ies'), countOf(2, 'entr', 'y', 'ies')],
    ['1 wallet', '0 wallets', '1 entry', '2 entries']
  )
})
