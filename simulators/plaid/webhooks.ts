import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { SignJWT, exportJWK, generateKeyPair, importJWK } from 'jose'
import type { JWK } from 'jose'
import type { Db } from '../../plugins/database/types.ts'
import { invalidWebhookKeyId } from './errors.ts'
import { setLastWebhook } from './queries.ts'

const timeoutMs = 10_000
const retryAfterMs = [100, 500]

/** A webhook to send: its body without the environment, and its item. */
export interface Webhook {
  url: string
  itemId: string | null
  body: { webhook_type: string; webhook_code: string; [field: string]: unknown }
}

/** The active signing key. The first instance that needs it creates it. */
const activeKey = async (db: Db, now: Date): Promise<{ keyId: string; privateJwk: JWK }> => {
  const find = () =>
    db.selectFrom('simulators.plaid_webhook_keys').selectAll().where('expired_at', 'is', null).executeTakeFirst()
  let row = await find()
  if (row === undefined) {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true })
    await db
      .insertInto('simulators.plaid_webhook_keys')
      .values({
        key_id: randomUUID(),
        private_jwk: JSON.stringify(await exportJWK(privateKey)),
        created_at: now,
        expired_at: null
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    row = await find()
  }
  if (row === undefined) throw new Error('The new webhook key has disappeared.')
  return { keyId: row.key_id, privateJwk: row.private_jwk }
}

/** The key object of /webhook_verification_key/get. */
export const findVerificationKey = async (db: Db, keyId: string) => {
  const row = await db
    .selectFrom('simulators.plaid_webhook_keys')
    .selectAll()
    .where('key_id', '=', keyId)
    .executeTakeFirst()
  if (row === undefined) throw invalidWebhookKeyId()
  const { crv, x, y, kty } = row.private_jwk
  const seconds = (at: Date) => Math.floor(at.getTime() / 1_000)
  return {
    alg: 'ES256',
    crv,
    kid: row.key_id,
    kty,
    use: 'sig',
    x,
    y,
    created_at: seconds(row.created_at),
    expired_at: row.expired_at === null ? null : seconds(row.expired_at)
  }
}

/** Sends webhooks in the background, signed as Plaid documents: with an ES256 JWT over the body's SHA-256. */
export class WebhookSender {
  readonly #db: Db
  readonly #clock: { now: () => Date }
  readonly #fetch: typeof fetch
  readonly #outstanding = new Set<Promise<void>>()
  readonly #closing = new AbortController()

  constructor(options: { db: Db; clock: { now: () => Date }; fetch: typeof fetch }) {
    this.#db = options.db
    this.#clock = options.clock
    this.#fetch = options.fetch
  }

  /** Sends webhooks in this order once `responded` resolves. Failures are ignored, since Plaid does not report them either. */
  sendAfter(responded: Promise<void>, webhooks: Webhook[]): void {
    if (webhooks.length === 0) return
    const sending = responded
      .then(async () => {
        for (const webhook of webhooks) await this.#deliver(webhook)
      })
      .catch(() => undefined)
      .finally(() => this.#outstanding.delete(sending))
    this.#outstanding.add(sending)
  }

  /** Resolves when every webhook has been delivered or given up. */
  async settled(): Promise<void> {
    while (this.#outstanding.size > 0) await Promise.all(this.#outstanding)
  }

  /** Aborts outstanding deliveries. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.settled()
  }

  async #deliver(webhook: Webhook): Promise<void> {
    const body = JSON.stringify({ ...webhook.body, environment: 'sandbox' })
    for (let attempt = 0; attempt <= retryAfterMs.length; attempt++) {
      if (await this.#attempt(webhook.url, body)) break
      const delayMs = retryAfterMs[attempt]
      if (delayMs !== undefined) await wait(delayMs, undefined, { signal: this.#closing.signal })
    }
    if (webhook.itemId !== null)
      await setLastWebhook(this.#db, webhook.itemId, webhook.body.webhook_code, this.#clock.now())
  }

  async #attempt(url: string, body: string): Promise<boolean> {
    try {
      const response = await this.#fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'plaid-verification': await this.#sign(body) },
        body,
        redirect: 'manual',
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(timeoutMs)])
      })
      await response.body?.cancel()
      return response.ok
    } catch {
      return false
    }
  }

  async #sign(body: string): Promise<string> {
    const now = this.#clock.now()
    const { keyId, privateJwk } = await activeKey(this.#db, now)
    return await new SignJWT({ request_body_sha256: createHash('sha256').update(body).digest('hex') })
      .setProtectedHeader({ alg: 'ES256', kid: keyId, typ: 'JWT' })
      .setIssuedAt(Math.floor(now.getTime() / 1_000))
      .sign(await importJWK(privateJwk, 'ES256'))
  }
}
