import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'tap'
import { startApp } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'
import { listens } from '../../machines/ports.ts'
import { until } from '../../machines/waiting.ts'
import { bindNotes, createNotesTable } from '../notes.ts'

test(
  'closing completes accepted requests, and does not wait for connections without a request',
  { timeout: 120_000 },
  async (t) => {
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
  }
)

/** Sends a request on an open connection and returns the head of the response. */
const requestOn = async (socket: Socket): Promise<string> => {
  socket.write('GET /api/v1/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const [part] = (await once(socket, 'data')) as [Buffer]
  return part.toString('utf8').toLowerCase()
}

test(
  'a lingering server serves requests on open connections, closes each, and accepts no new ones',
  { timeout: 120_000 },
  async (t) => {
    const { app, url } = await startApp(t, { lingerMs: 60_000 })
    const port = Number(new URL(url).port)
    const open = async (): Promise<Socket> => {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      return socket
    }
    const [fresh, kept] = [await open(), await open()]
    assert.match(await requestOn(kept), /connection: keep-alive/)
    const closed = app.close()
    await until('the server has stopped listening', async () => !(await listens(port)))
    for (const socket of [fresh, kept]) {
      const ended = once(socket, 'close')
      const response = await requestOn(socket)
      assert.match(response, /^http\/1.1 200 ok/)
      assert.match(response, /connection: close/)
      await ended
    }
    // All connections are closed, so that closing has nothing to wait for.
    await closed
  }
)
