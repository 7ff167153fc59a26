import { createHash } from 'node:crypto'
import type { Trx } from '../../plugins/database/types.ts'
import type { SimulatorContext } from './context.ts'
import { invalidRequest, StripeApiError } from './errors.ts'

const keptMs = 24 * 60 * 60 * 1000
const maxKeyLength = 255

export interface Answer {
  status: number
  body: string
  /** Set when the answer is that of an earlier request with the same key. */
  originalRequestId?: string
}

export interface IdempotentRequest {
  key: string | undefined
  requestId: string
  /** Method, path and parameters in one text; equal texts are the same request. */
  identity: string
}

/**
 * Runs `effect` in one transaction together with its idempotency key and its answer, so that after a crash there is
 * either all of it or nothing. A later request with the key gets the saved answer, refusals included; one that comes
 * while the first is running waits for it. Keys are kept for 24 hours.
 * @throws StripeApiError 400 `idempotency_error` when the key was used for another request
 */
export const runIdempotently = async (
  context: SimulatorContext,
  request: IdempotentRequest,
  effect: (trx: Trx) => Promise<object>
): Promise<Answer> => {
  const { key } = request
  if (key !== undefined && key.length > maxKeyLength) {
    throw invalidRequest(`Idempotency-Key must be at most ${maxKeyLength} characters long.`)
  }
  const fingerprint = createHash('sha256').update(request.identity).digest('hex')
  return await context.db.transaction().execute(async (trx) => {
    if (key === undefined) return { status: 200, body: render(await effect(trx)) }
    const saved = await takeKey(context, trx, key, fingerprint, request.requestId)
    if (saved !== undefined) return saved
    const answer = await answerOf(trx, effect)
    await trx
      .updateTable('stripe_sim_idempotency_keys')
      .set({ status: answer.status, body: answer.body })
      .where('key', '=', key)
      .execute()
    return answer
  })
}

const takeKey = async (
  context: SimulatorContext,
  trx: Trx,
  key: string,
  fingerprint: string,
  requestId: string
): Promise<Answer | undefined> => {
  const now = context.clock.now()
  await trx
    .deleteFrom('stripe_sim_idempotency_keys')
    .where('key', '=', key)
    .where('created_at', '<=', new Date(now.getTime() - keptMs))
    .execute()
  const taken = await trx
    .insertInto('stripe_sim_idempotency_keys')
    .values({ key, fingerprint, request_id: requestId, created_at: now })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .returning('key')
    .executeTakeFirst()
  if (taken !== undefined) return undefined
  const first = await trx
    .selectFrom('stripe_sim_idempotency_keys')
    .selectAll()
    .where('key', '=', key)
    .executeTakeFirstOrThrow()
  if (first.fingerprint !== fingerprint || first.status === null || first.body === null) {
    throw new StripeApiError(400, {
      type: 'idempotency_error',
      message:
        'Keys for idempotent requests can only be used with the same parameters they were first used with. ' +
        `Try using a key other than '${key}' if you meant to execute a different request.`
    })
  }
  return { status: first.status, body: first.body, originalRequestId: first.request_id }
}

/** Effects refuse before they write, so a refusal can be saved like any answer. */
const answerOf = async (trx: Trx, effect: (trx: Trx) => Promise<object>): Promise<Answer> => {
  try {
    return { status: 200, body: render(await effect(trx)) }
  } catch (error) {
    if (!(error instanceof StripeApiError) || error.status >= 500) throw error
    return { status: error.status, body: render({ error: error.body }) }
  }
}

/** Indented, as Stripe answers. */
export const render = (body: object): string => JSON.stringify(body, null, 2)
