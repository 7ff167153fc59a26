/* The bank simulator as a separate service with a separate database. It records requests on demand. */
import diagnostics from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import { systemClock } from '../../plugins/clock.ts'
import { openPostgres } from '../../plugins/database/index.ts'
import { createPlaidSimulator } from '../../simulators/plaid/index.ts'
import type { RecordedCall } from './exchange.ts'

const { BANK_DATABASE_URL = '', PLAID_CLIENT_ID = '', PLAID_SECRET = '' } = process.env

/** Headers of one connection, or of the length of one body. */
const notSentAgain = new Set(['connection', 'content-length', 'host', 'transfer-encoding'])

let recording: RecordedCall[] | undefined

diagnostics.subscribe('fastify.initialization', (message) => {
  const { fastify } = message as { fastify: FastifyInstance }
  fastify.addHook('onSend', (request, _reply, payload, done) => {
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !notSentAgain.has(name))
    ) as Record<string, string>
    recording?.push({
      method: request.method as RecordedCall['method'],
      path: request.url,
      headers,
      body: JSON.stringify(request.body),
      answer: payload as string
    })
    done()
  })
})

const database = openPostgres(BANK_DATABASE_URL, 10, (error) => console.error(error))
// Sends no webhooks, which would cause work in the product while a floor is measured.
const { api: bank } = await createPlaidSimulator({
  db: database.db,
  clock: systemClock,
  clientId: PLAID_CLIENT_ID,
  secret: PLAID_SECRET
})
const url = await bank.listen({ host: '127.0.0.1', port: 0 })

process.on('message', (message) => {
  const recorded = recording
  recording = message === 'start' ? [] : undefined
  process.send?.({ recorded })
})
process.once(
  'SIGTERM',
  () =>
    void bank
      .close()
      .then(() => database.close())
      .then(() => process.exit(0))
)
process.send?.({ url })
