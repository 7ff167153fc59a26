import assert from 'node:assert/strict'
import fastJson, { type Schema } from 'fast-json-stringify'
import { test } from 'tap'
import { serialiseLong } from '../../../plugins/operations/long-answers.ts'

const row = {
  type: 'object',
  properties: { id: { type: 'integer' }, text: { type: 'string' }, note: { type: ['string', 'null'] } }
}
const list = { type: 'array', items: row }
const schema = {
  type: 'object',
  properties: { before: { type: 'string' }, items: list, removed: list, next: { type: ['string', 'null'] } }
}
const compile = (part: object): ((body: unknown) => string) => fastJson(part as Schema)
const rowsOf = (count: number) =>
  Array.from({ length: count }, (_, id) => ({ id, text: `"items":[] \\ é ${id}`, note: id % 2 === 0 ? null : '$& $1' }))

test('serialising a page in slices gives the same text as serialising it at once', async () => {
  for (const count of [0, 1, 20, 21, 500]) {
    const body = { before: '"items":[]', items: rowsOf(count), removed: rowsOf(3), next: 'a.b' }
    assert.equal(await serialiseLong(schema, body, compile), compile(schema)(body))
    const moved = { before: '', items: [], removed: rowsOf(count), next: null }
    assert.equal(await serialiseLong(schema, moved, compile), compile(schema)(moved))
  }
})

test('a list of the same name in an inner object is not affected', async () => {
  const outer = { type: 'object', properties: { inner: schema, items: list } }
  const body = { inner: { before: '', items: [], removed: [], next: null }, items: rowsOf(50) }
  assert.equal(await serialiseLong(outer, body, compile), compile(outer)(body))
})

test('serialising a long list does not block the event loop', async () => {
  let turns = 0
  let isDone = false
  const count = () => {
    turns += 1
    if (!isDone) setImmediate(count)
  }
  setImmediate(count)
  await serialiseLong(schema, { before: '', items: rowsOf(200_000), removed: [], next: null }, compile)
  isDone = true
  assert(turns > 3, `${turns} turns`)
})
