import fp from 'fastify-plugin'
import { sql } from 'kysely'
import { stringifyStorable } from '../../database/storable-json.ts'
import type { Db, Trx } from '../../database/types.ts'
import { newId } from '../../ids.ts'
import { sendDueTexts } from './texts.ts'
import { connectTwilio } from './twilio.ts'
import './tables.ts'

export interface NewNotification {
  userId: string
  /** The type of the event that caused it. */
  type: string
  /** Shown in the list and sent as the text message. */
  message: string
  data: Record<string, unknown>
}

export type Notification = Awaited<ReturnType<typeof listNotifications>>[number]

export interface Notifications {
  /** Adds a notification to the list of a user, and queues a text message when Twilio is configured and the user has a phone number. */
  notify(trx: Trx, notification: NewNotification): Promise<void>
  /** Lists notifications of a user, newest first, before the given position. */
  list(db: Db, userId: string, limit: number, before?: number): Promise<Notification[]>
}

export const textMessagesJob = 'send text messages'
const sendEveryMs = 5_000
/** E.164: a plus, the country code, at most 15 digits. */
const phonePattern = '^\\+[1-9][0-9]{6,14}$'

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
  const { userId, type, message, data } = notification
  await sql`insert into notifications (id, user_id, type, message, data, created_at, sms_status, sms_next_at)
    select ${newId('ntf')}, id, ${type}, ${message}, ${stringifyStorable(data)}::jsonb, ${now}::timestamptz,
      case when reachable then 'pending' else 'none' end, case when reachable then ${now}::timestamptz end
    from (select id, ${textsSent}::boolean and coalesce(preferences ->> 'phone', '') ~ ${sql.lit(phonePattern)} as reachable
      from users where id = ${userId}) as recipient`.execute(trx)
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
