import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Trx } from '../../database/types.ts'
import { rateLimited, upstreamUnavailable } from '../../http/errors/kinds.ts'
import { connectTwilio } from '../notifications/twilio.ts'
import { countMessage, forgetCounts } from './counts.ts'
import { mailNotConfigured, textsNotConfigured } from './errors.ts'
import { connectSmtp } from './smtp.ts'

export interface Message {
  userId: string
  /** An e-mail address, or a phone number with country code. */
  to: string
  /** Of a mail; a text message has none. */
  subject: string
  text: string
}

/** Adds a message to the user's notifications when this server could not send it. Run it in the transaction of the message's cause. */
export type ShowMessage = (trx: Trx) => Promise<void>

/**
 * Sends a message now, outside any transaction. A development server that has no service for it logs the message and shows it in the user's notifications.
 * @throws ProblemError 503 in production without such a service; 429 when the user or the recipient got too many today; 502 when the service does not take it.
 */
export type SendMessage = (message: Message) => Promise<ShowMessage>

export interface Messages {
  mail: SendMessage
  text: SendMessage
}

const limits = { mail: { service: 'smtp', perDay: 10 }, text: { service: 'twilio', perDay: 5 } } as const
type Kind = keyof typeof limits

const countsSweepMs = 6 * 3_600_000

type Send = (message: Message) => Promise<void>
type Dependencies = Pick<FastifyInstance, 'clock' | 'config' | 'database' | 'log' | 'metrics' | 'notifications'>

const secondsToMidnight = (now: Date): number => 86_400 - (Math.floor(now.getTime() / 1000) % 86_400)

/** Counts a message for its user and for its recipient, who may be the victim of several users. */
const count = async ({ clock, database: { db } }: Dependencies, kind: Kind, { userId, to }: Message): Promise<void> => {
  const now = clock.now()
  const { perDay } = limits[kind]
  const isWithin =
    (await countMessage(db, `${kind} code of user`, userId, perDay, now)) &&
    (await countMessage(db, `${kind} code to recipient`, to, perDay, now))
  if (isWithin) return
  const detail = `At most ${perDay} codes a day are sent to one recipient. Use the last code, or retry tomorrow (UTC).`
  throw rateLimited(detail, {}, { 'retry-after': String(secondsToMidnight(now)) })
}

const attempt = async ({ log, metrics }: Dependencies, kind: Kind, send: Send, message: Message): Promise<void> => {
  const startedAt = performance.now()
  const { service } = limits[kind]
  try {
    await send(message)
    metrics.upstreamCalled(service, 'ok', (performance.now() - startedAt) / 1000)
  } catch (error) {
    metrics.upstreamCalled(service, 'failed', (performance.now() - startedAt) / 1000)
    log.warn({ err: error }, `sending a ${kind} failed`)
    throw upstreamUnavailable('The message could not be sent. Check where it should go, then retry.')
  }
}

const createSender =
  (app: Dependencies, kind: Kind, send: Send | undefined): SendMessage =>
  async (message) => {
    const { userId, to, subject, text } = message
    if (send === undefined && app.config.environment === 'production')
      throw (kind === 'mail' ? mailNotConfigured : textsNotConfigured)()
    await count(app, kind, message)
    if (send !== undefined) {
      await attempt(app, kind, send, message)
      return () => Promise.resolve()
    }
    app.log.warn({ to, subject, text }, `no service sends this ${kind}; it is shown here and in the notifications`)
    const shown = `${kind === 'mail' ? 'Mail' : 'Text message'} to ${to}: ${text}`
    return (trx) => app.notifications.notify(trx, { userId, type: `${kind}.shown`, message: shown, data: { to } })
  }

declare module 'fastify' {
  interface FastifyInstance {
    messages: Messages
  }
}

/** Messages that a user waits for, such as codes: mail through SMTP and texts through Twilio. */
export default fp(
  async (app) => {
    const { smtp, twilio } = app.config
    const sendMail = smtp && (await connectSmtp(smtp))
    const sendText = twilio && (await connectTwilio(twilio))
    app.decorate('messages', {
      mail: createSender(app, 'mail', sendMail),
      text: createSender(app, 'text', sendText && (({ to, text }) => sendText(to, text)))
    })
    app.jobs.every('forget counts of messages', countsSweepMs, () => forgetCounts(app.database.db, app.clock.now()))
  },
  { name: 'messages', dependencies: ['config', 'clock', 'database', 'jobs', 'metrics', 'notifications'] }
)
