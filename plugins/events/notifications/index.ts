import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { sql } from 'kysely'
import { stringifyStorable } from '../../database/storable-json.ts'
import type { Db, Trx } from '../../database/types.ts'
import { newId } from '../../ids.ts'
import { countMessage } from '../messages/counts.ts'
import type { UpstreamOutcome } from '../../metrics/index.ts'
import { connectTwilio, type SendText } from './twilio.ts'
import './tables.ts'

export interface NewNotification {
  userId: string
  /** The type of the event that caused it. */
  type: string
  /** Shown in the list. */
  message: string
  /** The text message, without words of an agent, who could send anything to a phone by them; none when omitted. */
  text?: string
  data: Record<string, unknown>
}

export type Notification = Awaited<ReturnType<typeof listNotifications>>[number]

export interface Notifications {
  /** Adds a notification to the list of a user, and queues its text message when Twilio is configured and the user has a verified phone number. */
  notify(trx: Trx, notification: NewNotification): Promise<void>
  /** Lists notifications of a user, newest first, before the given position. */
  list(db: Db, userId: string, limit: number, before?: number): Promise<Notification[]>
}

export const textMessagesJob = 'send text messages'
const sendEveryMs = 5_000
const batch = 20
/** Longer than a batch can take, so that no other instance sends the same messages. */
const leaseMs = 5 * 60_000
const retryDelaysMs = [10_000, 60_000, 600_000, 3_600_000]
/** The text messages about notifications that a user gets in a day (UTC). */
const maxTextsPerDay = 20

const listNotifications = async (db: Db, userId: string, limit: number, before?: number) =>
  await db
    .selectFrom('notifications')
    .select(['id', 'position', 'type', 'message', 'data', 'created_at as createdAt', 'sms_status as smsStatus'])
    .where('user_id', '=', userId)
    .$if(before !== undefined, (query) => query.where('position', '<', before ?? 0))
    .orderBy('position', 'desc')
    .limit(limit)
    .execute()

const insertNotification = async (
  trx: Trx,
  notification: NewNotification,
  textsSent: boolean,
  now: Date
): Promise<void> => {
  const { userId, type, message, text = null, data } = notification
  await sql`insert into notifications (id, user_id, type, message, sms_text, data, created_at, sms_status, sms_next_at)
    select ${newId('ntf')}, id, ${type}, ${message}, ${text}, ${stringifyStorable(data)}::jsonb, ${now}::timestamptz,
      case when reachable then 'pending' else 'none' end, case when reachable then ${now}::timestamptz end
    from (select id, ${textsSent && text !== null}::boolean and phone is not null as reachable
      from users where id = ${userId}) as recipient`.execute(trx)
}

interface Text {
  id: string
  userId: string
  text: string
  attempts: number
  phone: string | null
}

const claimTexts = async (db: Db, now: Date) => {
  const { rows } = await sql<Text>`
    update notifications n set sms_attempts = sms_attempts + 1, sms_next_at = ${new Date(now.getTime() + leaseMs)}::timestamptz
    from users u
    where u.id = n.user_id and n.id in (
      select id from notifications where sms_status = 'pending' and sms_next_at <= ${now}::timestamptz
      order by sms_next_at limit ${sql.lit(batch)} for update skip locked)
    returning n.id, n.user_id as "userId", n.sms_text as text, n.sms_attempts as attempts, u.phone`.execute(db)
  return rows
}

/** Errors of the twilio package have a status when Twilio itself responded. */
const outcomeOf = (failure: unknown): UpstreamOutcome => {
  if (failure === undefined) return 'ok'
  const status = typeof failure === 'object' && failure !== null && 'status' in failure ? Number(failure.status) : 0
  return status >= 400 && status < 500 && status !== 429 ? 'refused' : 'failed'
}

const isWithinDay = async (
  { clock, database }: Pick<FastifyInstance, 'clock' | 'database'>,
  userId: string
): Promise<boolean> => await countMessage(database.db, 'text of user', userId, maxTextsPerDay, clock.now())

/** Sends due text messages and schedules retries of failed ones. Another process continues after a crash. */
const sendDueTexts = async (
  app: Pick<FastifyInstance, 'clock' | 'database' | 'log' | 'metrics'>,
  send: SendText
): Promise<void> => {
  const { db } = app.database
  for (const { id, userId, text, attempts, phone } of await claimTexts(db, app.clock.now())) {
    if (phone === null || (attempts === 1 && !(await isWithinDay(app, userId)))) {
      await db
        .updateTable('notifications')
        .set({ sms_status: 'none', sms_next_at: null })
        .where('id', '=', id)
        .execute()
      continue
    }
    const startedAt = performance.now()
    const failure = await send(phone, text).then(
      () => undefined,
      (error: unknown) => error ?? 'unknown'
    )
    app.metrics.upstreamCalled('twilio', outcomeOf(failure), (performance.now() - startedAt) / 1000)
    if (failure !== undefined) app.log.warn({ err: failure, notification: id }, 'sending a text message failed')
    const delayMs = retryDelaysMs[attempts - 1]
    const next =
      failure === undefined
        ? { sms_status: 'sent' as const, sms_next_at: null }
        : delayMs === undefined
          ? { sms_status: 'failed' as const, sms_next_at: null }
          : { sms_status: 'pending' as const, sms_next_at: new Date(app.clock.now().getTime() + delayMs) }
    await db.updateTable('notifications').set(next).where('id', '=', id).where('sms_status', '=', 'pending').execute()
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    notifications: Notifications
  }
}

/** Notifications of users, in a list and by text message. */
export default fp(
  async (app) => {
    const { twilio } = app.config
    app.decorate('notifications', {
      notify: (trx, notification) => insertNotification(trx, notification, twilio !== undefined, app.clock.now()),
      list: listNotifications
    })
    if (twilio === undefined) return
    const send = await connectTwilio(twilio)
    app.jobs.every(textMessagesJob, sendEveryMs, () => sendDueTexts(app, send))
  },
  { name: 'notifications', dependencies: ['config', 'clock', 'database', 'jobs', 'metrics'] }
)
