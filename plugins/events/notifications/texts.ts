import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import type { Db } from '../../database/types.ts'
import type { UpstreamOutcome } from '../../metrics/index.ts'
import type { SendText } from './twilio.ts'

/** The text messages in progress, of different users. */
const slots = 8
/** Bounds one run of the job; the next one continues. */
const maxTextsPerRun = 80
/** Longer than sending one can take, so that no other instance sends it too. */
const leaseMs = 60_000
const retryDelaysMs = [10_000, 60_000, 600_000, 3_600_000] as const

type Dependencies = Pick<FastifyInstance, 'clock' | 'database' | 'log' | 'metrics'>

interface Text {
  id: string
  userId: string
  message: string
  attempts: number
  phone: string | null
}

/** Claims up to `limit` due texts, at most one for each user, and none for the users that have one in progress. */
const claimTexts = async (db: Db, busyUserIds: string[], limit: number, now: Date): Promise<Text[]> => {
  const { rows } = await sql<Text>`
    with first_of_user as (
      select distinct on (user_id) id, sms_next_at from notifications
      where sms_status = 'pending' and sms_next_at <= ${now}::timestamptz and user_id <> all(${busyUserIds}::text[])
      order by user_id, sms_next_at, position
    )
    update notifications n set sms_attempts = sms_attempts + 1, sms_next_at = ${new Date(now.getTime() + leaseMs)}::timestamptz
    from users u
    where u.id = n.user_id and n.id = any(array(select id from first_of_user order by sms_next_at limit ${sql.lit(limit)}))
      and n.sms_status = 'pending' and n.sms_next_at <= ${now}::timestamptz
    returning n.id, n.user_id as "userId", n.message, n.sms_attempts as attempts, u.preferences ->> 'phone' as phone`.execute(
    db
  )
  return rows
}

/** Errors of the twilio package have a status when Twilio itself responded. */
const outcomeOf = (failure: unknown): UpstreamOutcome => {
  if (failure === undefined) return 'ok'
  const status = typeof failure === 'object' && failure !== null && 'status' in failure ? Number(failure.status) : 0
  return status >= 400 && status < 500 && status !== 429 ? 'refused' : 'failed'
}

const settleText = async (db: Db, { id, userId, attempts }: Text, isSent: boolean, now: Date): Promise<void> => {
  const delayMs = retryDelaysMs[attempts - 1]
  const after = (ms: number) => new Date(now.getTime() + ms)
  const next = isSent
    ? { sms_status: 'sent' as const, sms_next_at: null }
    : delayMs === undefined
      ? { sms_status: 'failed' as const, sms_next_at: null }
      : { sms_status: 'pending' as const, sms_next_at: after(delayMs) }
  await db.updateTable('notifications').set(next).where('id', '=', id).where('sms_status', '=', 'pending').execute()
  if (isSent) return
  // The user's other texts wait, too: they would probably fail the same way, one after the other.
  await db
    .updateTable('notifications')
    .set({ sms_next_at: after(retryDelaysMs[0]) })
    .where('user_id', '=', userId)
    .where('sms_status', '=', sql.lit('pending'))
    .where('sms_next_at', '<', after(retryDelaysMs[0]))
    .execute()
}

const sendText = async (app: Dependencies, send: SendText, text: Text): Promise<void> => {
  const startedAt = performance.now()
  const failure = await send(text.phone ?? '', text.message).then(
    () => undefined,
    (error: unknown) => error ?? 'unknown'
  )
  app.metrics.upstreamCalled('twilio', outcomeOf(failure), (performance.now() - startedAt) / 1000)
  if (failure !== undefined) app.log.warn({ err: failure, notification: text.id }, 'sending a text message failed')
  await settleText(app.database.db, text, failure === undefined, app.clock.now())
}

/**
 * Sends due text messages, one at a time to each user and a few users concurrently, so that a user can delay only their own. Failed texts are retried. Another process
 * continues after a crash.
 */
export const sendDueTexts = async (app: Dependencies, send: SendText): Promise<void> => {
  const running = new Map<string, Promise<void>>()
  const start = (text: Text): void => {
    const sending = sendText(app, send, text)
      .catch((error: unknown) =>
        app.log.error(
          { err: error, notification: text.id },
          'the outcome of a text message was not stored; it is sent again'
        )
      )
      .finally(() => running.delete(text.userId))
    running.set(text.userId, sending)
  }
  try {
    for (let claimed = 0; ;) {
      const limit = Math.min(slots - running.size, maxTextsPerRun - claimed)
      const texts = limit <= 0 ? [] : await claimTexts(app.database.db, [...running.keys()], limit, app.clock.now())
      claimed += texts.length
      for (const text of texts) start(text)
      if (running.size === 0) return
      await Promise.race(running.values())
    }
  } finally {
    await Promise.all(running.values())
  }
}
