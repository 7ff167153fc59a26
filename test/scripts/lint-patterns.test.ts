import assert from 'node:assert/strict'
import { test } from 'tap'
import { faultOfPattern } from '../../scripts/lint/patterns.ts'

test('patterns that take quadratic time, or that RE2 cannot compile, are rejected', async () => {
  for (const pattern of ['^(?!\\s*$).+$', '^\\ud800$', '^(a)\\1$', '^(?<=a)b$'])
    assert.match(faultOfPattern(pattern) ?? '', /RE2/)
  for (const pattern of ['^[^\\x00]*[^\\x00\\s][^\\x00]*$', '^(a+)+$', '\\s+$', '^\\s*a?\\s*$'])
    assert.match(faultOfPattern(pattern) ?? '', /too long/, pattern)
  for (const pattern of ['^\\s*[^\\x00\\s][^\\x00]*$', '^[A-Z]{3}$', '^https?://[^\\x00]*$'])
    assert.equal(faultOfPattern(pattern), undefined, pattern)
})
