import { createHash } from 'node:crypto'
import type { Trx } from '../../plugins/database/types.ts'
import type { SimulatorContext } from './context.ts'
import { invalidRequest, StripeApiError } from './errors.ts'

const keptMs = 24 * 60 * 60 * 1000
const maxKeyLength = 255

export interface StoredResponse {
  status: number
  body: string
  /** Set on a replay: the id of the request whose response this is. */
  originalRequestId?: string
}

export interface IdempotentRequest {
  key: string | undefined
  requestId: string
  /** Method, path and parameters; equal texts are the same request. */
  identity: string
}

/**
 * Commits `effect` together with its idempotency key and its response. A later request with the key gets the stored
 * response, errors included; a concurrent one waits for the first. Keys expire after 24 hours.
 *
 * @throws StripeApiError 400 `idempotency_error` when the key was used for another request
 */
export const runIdempotently = async (
  context: SimulatorContext,
  request: IdempotentRequest,
  effect: (trx: Trx) => Promise<object>
): Promise<StoredResponse> => {
  const { key } = request
  if (key !== undefined && key.length > maxKeyLength) {
    throw invalidRequest(`Idempotency-Key must be at most ${maxKeyLength} characters long.`)
  }
  const fingerprint = createHash('sha256').update(request.identity).digest('hex')
  return await context.db.transaction().execute(async (trx) => {
    if (key === undefined) return { status: 200, body: render(await effect(trx)) }
    const saved = await takeKey(context, trx, key, fingerprint, request.requestId)
    if (saved !== undefined) return saved
    const response = await responseOf(trx, effect)
    await trx
      .updateTable('simulators.stripe_idempotency_keys')
      .set({ status: response.status, body: response.body })
      .where('key', '=', key)
      .execute()
    return response
  })
}

const takeKey = async (
  context: SimulatorContext,
  trx: Trx,
  key: string,
  fingerprint: string,
  requestId: string
): Promise<StoredResponse | undefined> => {
  const now = context.clock.now()
  await trx
    .deleteFrom('simulators.stripe_idempotency_keys')
    .where('key', '=', key)
    .where('created_at', '<=', new Date(now.getTime() - keptMs))
    .execute()
  const taken = await trx
    .insertInto('simulators.stripe_idempotency_keys')
    .values({ key, fingerprint, request_id: requestId, created_at: now })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .returning('key')
    .executeTakeFirst()
  if (taken !== undefined) return undefined
  const first = await trx
    .selectFrom('simulators.stripe_idempotency_keys')
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

/** Effects throw before they write, so that an error can be stored like any response. */
const responseOf = async (trx: Trx, effect: (trx: Trx) => Promise<object>): Promise<StoredResponse> => {
  try {
    return { status: 200, body: render(await effect(trx)) }
  } catch (error) {
    if (!(error instanceof StripeApiError) || error.status >= 500) throw error
    return { status: error.status, body: render({ error: error.body }) }
  }
}

/** JSON indented as in Stripe's responses. */
export const render = (body: object): string => JSON.stringify(body, null, 2)
