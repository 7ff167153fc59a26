import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Cleaner } from '../test-database.ts'

interface Received {
  path: string
  authorization: string
  form: Record<string, string>
}

/** A server with Twilio's API for messages. `statuses` are those of the next responses, after which it returns 201. `env` has the settings that use it. */
export const openTwilio = async (t: Cleaner) => {
  const received: Received[] = []
  const statuses: number[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      received.push({
        path: request.url ?? '',
        authorization: request.headers.authorization ?? '',
        form: Object.fromEntries(new URLSearchParams(body))
      })
      const status = statuses.shift() ?? 201
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify(status < 300 ? { sid: 'SM1', status: 'queued' } : { code: 20500, message: 'no', status })
      )
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.teardown(() => void server.close())
  const env = {
    TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
    TWILIO_AUTH_TOKEN: 'secret',
    TWILIO_FROM: '+15005550006',
    TWILIO_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  return { received, statuses, env }
}
