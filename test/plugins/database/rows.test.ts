import assert from 'node:assert/strict'
import { test } from 'tap'
import { toRow } from '../../../plugins/database/rows.ts'

test('a row has its fields under their column names, including undefined ones', async () => {
  const at = new Date(0)
  assert.deepEqual(toRow({ id: 'x', dailyLimitCents: null, isVerified: false, createdAt: at, apiKey: undefined }), {
    id: 'x',
    daily_limit_cents: null,
    is_verified: false,
    created_at: at,
    api_key: undefined
  })
})
