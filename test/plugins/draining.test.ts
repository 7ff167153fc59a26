import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startApp } from '../build-app.ts'
import { createPartner, send } from '../credentials.ts'
import { bindNotes, createNotesTable } from './notes.ts'

test('closing answers what was accepted, and does not wait for connections that never asked', { timeout: 30_000 }, async (t) => {
  let arrived = (): void => undefined
  let finish = (): void => undefined
  const running = new Promise<void>((done) => (arrived = done))
  const held = new Promise<void>((done) => (finish = done))
  const post = async (): Promise<void> => {
    arrived()
    await held
  }
  const { app, url, database } = await startApp(t, { extend: (extended) => bindNotes(extended, { post }) })
  await createNotesTable.execute(database.db)
  const { testKey } = await createPartner(database)
  const silent = connect(Number(new URL(url).port), '127.0.0.1')
  await once(silent, 'connect')
  const accepted = send(url, 'POST', '/test/sent', { key: testKey, body: { text: 'a' } })
  await running
  const closed = app.close()
  await once(silent, 'close')
  finish()
  assert.equal((await accepted).status, 201)
  await closed
})
