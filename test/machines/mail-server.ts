import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import type { Cleaner } from '../test-database.ts'

interface ReceivedMail {
  from: string
  to: string[]
  /** Headers and body as sent. */
  source: string
}

/** A mail server that keeps received mail. `refusals` are the replies that reject the next recipients. `env` has the settings that use it. */
export const openMailServer = async (t: Cleaner) => {
  const received: ReceivedMail[] = []
  const refusals: string[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: (_address, _session, done) => {
      const refusal = refusals.shift()
      done(refusal === undefined ? null : new Error(refusal))
    },
    onData: (stream, session, done) => {
      let source = ''
      stream.on('data', (chunk: Buffer) => (source += chunk.toString()))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        received.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          source
        })
        done()
      })
    }
  })
  const listener = server.listen(0, '127.0.0.1')
  await new Promise<void>((done) => listener.once('listening', done))
  t.teardown(() => new Promise<void>((done) => server.close(() => done())))
  const { port } = listener.address() as AddressInfo
  return {
    received,
    refusals,
    env: { SMTP_URL: `smtp://127.0.0.1:${port}`, SMTP_FROM: 'AtlasForge <no-reply@example.com>' }
  }
}
