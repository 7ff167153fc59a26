import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { StripeApiError } from '../../../simulators/stripe/errors.ts'
import { canonicalForm, formFromJson, parseForm, type FormValue } from '../../../simulators/stripe/form.ts'
import { isId, newId } from '../../../simulators/stripe/identifiers.ts'

type Tree = string | { [key: string]: Tree }

/** Encodes nested parameters as a client does: names in brackets, values percent-encoded. */
const encode = (tree: Tree, prefix = ''): string[] => {
  if (typeof tree === 'string') return [`${encodeURIComponent(prefix)}=${encodeURIComponent(tree)}`]
  return Object.entries(tree).flatMap(([key, child]) => encode(child, prefix === '' ? key : `${prefix}[${key}]`))
}

const plain = (value: FormValue): Tree =>
  typeof value === 'string' ? value : Object.fromEntries([...value].map(([key, child]) => [key, plain(child)]))

const key = fc.stringMatching(/^[a-z0-9_]{1,8}$/)
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\u0000')),
    fc.dictionary(key, tie('tree'), { minKeys: 1, maxKeys: 4, noNullPrototype: true })
  )
}))
const form = fc.dictionary(key, tree, { minKeys: 1, maxKeys: 5, noNullPrototype: true })

test('decoding returns what a client encoded', async () => {
  fc.assert(
    fc.property(form, (value) => {
      assert.deepEqual(plain(parseForm(encode(value).join('&'))), { ...value })
      assert.deepEqual(plain(formFromJson(value)), { ...value })
    })
  )
})

test('the order of parameters does not matter for the identity of a request', async () => {
  fc.assert(
    fc.property(form, (value) => {
      const pairs = encode(value)
      assert.equal(canonicalForm(parseForm(pairs.join('&'))), canonicalForm(parseForm(pairs.toReversed().join('&'))))
    })
  )
})

test('any text is either decoded or rejected as a bad request', async () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '[', ']', '=', '&', '%', '0', '_', 'p') }), (text) => {
      try {
        parseForm(text)
      } catch (error) {
        assert.ok(error instanceof StripeApiError && error.status === 400)
      }
    })
  )
})

test('empty brackets append', async () => {
  assert.deepEqual(plain(parseForm('a[]=x&a[]=y')), { a: { 0: 'x', 1: 'y' } })
})

test('ids are long, plain and unique', async () => {
  const ids = Array.from({ length: 1000 }, () => newId('cs_test_', 56))
  assert.equal(new Set(ids).size, 1000)
  assert.ok(ids.every((id) => isId(id) && id.length === 64))
  assert.equal(isId('a b'), false)
})
