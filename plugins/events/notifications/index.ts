import { stringifyStorable } from '../../database/storable-json.ts'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { sql } from 'kysely'
import type { Db, Trx } from '../../database/types.ts'
import { newId } from '../../ids.ts'
import type { UpstreamOutcome } from '../../metrics/index.ts'
import { connectTwilio, type SendText } from './twilio.ts'
import './tables.ts'

export interface NewNotification {
  userId: string
  /** The type of the event that it tells of. */
  type: string
  /** For a person to read, in a list and as a text message. */
  message: string
  data: Record<string, unknown>
}

export interface Notification {
  id: string
  /** Grows with each notification; the order of the list. */
  position: number
  type: string
  message: string
  data: Record<string, unknown>
  createdAt: Date
  smsStatus: 'none' | 'pending' | 'sent' | 'failed'
}

export interface Notifications {
  /** Tells a user something, in the transaction of what it tells of: always in the list, and by text message where both sides can. */
  notify(trx: Trx, notification: NewNotification): Promise<void>
  /** What a user was told, newest first; `before` is the position of the last one of the page before. */
  list(db: Db, userId: string, limit: number, before?: number): Promise<Notification[]>
}

export const textMessagesJob = 'send text messages'
const sendEveryMs = 5_000
const batch = 20
/** Longer than a batch can take, so that nobody else sends what is under way. */
const leaseMs = 5 * 60_000
const retryDelaysMs = [10_000, 60_000, 600_000, 3_600_000]
/** E.164: a plus, the country code, at most 15 digits. */
const phonePattern = '^\\+[1-9][0-9]{6,14}$'

const listNotifications = async (db: Db, userId: string, limit: number, before?: number): Promise<Notification[]> =>
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
  const { userId, type, message, data } = notification
  await sql`insert into notifications (id, user_id, type, message, data, created_at, sms_status, sms_next_at)
    select ${newId('ntf')}, id, ${type}, ${message}, ${stringifyStorable(data)}::jsonb, ${now}::timestamptz,
      case when reachable then 'pending' else 'none' end, case when reachable then ${now}::timestamptz end
    from (select id, ${textsSent}::boolean and coalesce(preferences ->> 'phone', '') ~ ${sql.lit(phonePattern)} as reachable
      from users where id = ${userId}) as told`.execute(trx)
}

const claimTexts = async (db: Db, now: Date) => {
  const { rows } = await sql<{ id: string; message: string; sms_attempts: number; phone: string | null }>`
    update notifications n set sms_attempts = sms_attempts + 1, sms_next_at = ${new Date(now.getTime() + leaseMs)}::timestamptz
    from users u
    where u.id = n.user_id and n.id in (
      select id from notifications where sms_status = 'pending' and sms_next_at <= ${now}::timestamptz
      order by sms_next_at limit ${sql.lit(batch)} for update skip locked)
    returning n.id, n.message, n.sms_attempts, u.preferences ->> 'phone' as phone`.execute(db)
  return rows
}

/** Twilio's package tells by a status that Twilio itself answered. */
const outcomeOf = (failure: unknown): UpstreamOutcome => {
  if (failure === undefined) return 'ok'
  const status = typeof failure === 'object' && failure !== null && 'status' in failure ? Number(failure.status) : 0
  return status >= 400 && status < 500 && status !== 429 ? 'refused' : 'failed'
}

/** Sends what is due. One that Twilio does not take is tried again a few times; a process that dies in between leaves it to the next. */
const sendDueTexts = async (app: FastifyInstance, send: SendText): Promise<void> => {
  const { db } = app.database
  for (const { id, message, sms_attempts: attempts, phone } of await claimTexts(db, app.clock.now())) {
    const startedAt = performance.now()
    const failure = await send(phone ?? '', message).then(
      () => undefined,
      (error: unknown) => error ?? 'unknown'
    )
    app.metrics.upstreamCalled('twilio', outcomeOf(failure), (performance.now() - startedAt) / 1000)
    if (failure !== undefined) app.log.warn({ err: failure, notification: id }, 'a text message was not taken')
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

/** What users are told of. */
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
