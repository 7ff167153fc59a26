import type { FastifyInstance } from 'fastify'
import { ACHClass, TransferAuthorizationDecision, TransferNetwork, TransferType } from 'plaid'
import { isPlaidFailure } from '../../plugins/plaid/index.ts'
import type { End } from './ends.ts'
import type { Refusal } from './errors.ts'
import { dropAuthorization, findLeg, saveAuthorization, type Leg } from './queries/legs.ts'
import type { Transfer } from './queries/transfers.ts'

export type Sending = Pick<FastifyInstance, 'clock' | 'database' | 'plaid'>

/** Longer than an authorization is valid at Plaid: an older one has expired for certain. */
const authorizationLifeMs = 65 * 60_000
/** Plaid's limit for descriptions of ACH payments. */
const longestDescription = 10

/** Whether Plaid accepted the leg. */
export type SendResult = { plaidTransferId: string } | { refused: Refusal }

const networks = {
  ach: TransferNetwork.Ach,
  'same-day-ach': TransferNetwork.SameDayAch,
  rtp: TransferNetwork.Rtp
} as const

/** An amount as Plaid expects it: dollars with two decimals. */
export const dollarsOf = (cents: number): string => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`

/** The part of a memo that a bank statement can show: letters, digits and spaces. */
export const descriptionOf = (memo: string | null): string => {
  const text = (memo ?? '')
    .replace(/[^A-Za-z0-9 ]+/g, ' ')
    .replace(/ +/g, ' ')
    .trim()
    .slice(0, longestDescription)
    .trim()
  return text === '' ? 'Transfer' : text
}

const authorize = async (app: Sending, transfer: Transfer, leg: Leg, end: End): Promise<Leg | Refusal> => {
  const isDebit = leg.kind === 'debit'
  const { authorization } = await app.plaid.in(transfer.environment).call(
    (api) =>
      api.transferAuthorizationCreate({
        access_token: end.accessToken,
        account_id: end.plaidAccountId,
        type: isDebit ? TransferType.Debit : TransferType.Credit,
        network: networks[leg.network],
        amount: dollarsOf(leg.amountCents),
        ...(leg.network === 'rtp' ? {} : { ach_class: isDebit ? ACHClass.Web : ACHClass.Ppd }),
        user: { legal_name: end.legalName },
        idempotency_key: `${leg.id}-${leg.authorizationAttempt}`
      }),
    { repeatable: true }
  )
  if (authorization.decision === TransferAuthorizationDecision.Approved)
    return await saveAuthorization(app.database.db, leg, authorization.id, app.clock.now())
  const { decision, decision_rationale: rationale } = authorization
  return {
    code: rationale?.code ?? decision.toUpperCase(),
    description: rationale?.description ?? 'Plaid did not approve the transfer.',
    loginRequired: decision === TransferAuthorizationDecision.UserActionRequired
  }
}

/** The id of the transfer that Plaid made from an authorization; undefined when it made none. */
export const findByAuthorization = async (
  { plaid }: Pick<FastifyInstance, 'plaid'>,
  { environment }: Transfer,
  authorizationId: string
): Promise<string | undefined> => {
  try {
    const { transfer } = await plaid
      .in(environment)
      .call((api) => api.transferGet({ authorization_id: authorizationId }), { repeatable: true })
    return transfer.id
  } catch (error) {
    // Other refusals, such as of wrong keys or by a proxy, do not prove that there is no transfer.
    if (isPlaidFailure(error) && error.errorType === 'INVALID_REQUEST') return undefined
    throw error
  }
}

/**
 * The id of a leg's transfer at Plaid, even if Plaid's response was lost; undefined when Plaid has none.
 * @throws ProblemError 502 when Plaid does not respond
 */
export const findAccepted = async (app: Sending, transfer: Transfer, legId: string): Promise<string | undefined> => {
  const leg = await findLeg(app.database.db, transfer.id, legId)
  if (leg === undefined) return undefined
  if (leg.plaidTransferId !== null) return leg.plaidTransferId
  return leg.authorizationId === null ? undefined : await findByAuthorization(app, transfer, leg.authorizationId)
}

/** Repeatable at any time, because Plaid makes at most one transfer from an authorization. */
const create = async (
  { plaid }: Sending,
  transfer: Transfer,
  leg: Leg,
  authorizationId: string,
  end: End
): Promise<string> => {
  const request = {
    access_token: end.accessToken,
    account_id: end.plaidAccountId,
    authorization_id: authorizationId,
    amount: dollarsOf(leg.amountCents),
    description: leg.kind === 'refund' ? 'Refund' : descriptionOf(transfer.memo),
    metadata: { transfer_id: transfer.id, leg_id: leg.id }
  }
  const created = await plaid.in(transfer.environment).call((api) => api.transferCreate(request), { repeatable: true })
  return created.transfer.id
}

export const hasExpired = ({ authorizedAt }: Leg, now: Date): boolean =>
  authorizedAt !== null && now.getTime() - authorizedAt.getTime() > authorizationLifeMs

const cancelled = { code: 'CALLED_OFF', description: 'The payment was cancelled.', loginRequired: false }

/**
 * Sends a leg to Plaid: an authorization, then the transfer. Plaid makes one transfer even after retries, concurrent calls and crashes: the authorization's idempotency
 * key is the leg's, the authorization is stored before it is used, and a new one is requested only when the old one has certainly expired without a transfer.
 *
 * @throws PlaidFailure when Plaid rejects a request, ProblemError 502 when it does not respond
 */
export const sendLeg = async (app: Sending, transfer: Transfer, leg: Leg, end: End): Promise<SendResult> => {
  let current = leg
  if (current.authorizationId !== null && hasExpired(current, app.clock.now())) {
    const plaidTransferId = await findByAuthorization(app, transfer, current.authorizationId)
    if (plaidTransferId !== undefined) return { plaidTransferId }
    current = await dropAuthorization(app.database.db, current)
  }
  if (current.authorizationId === null) {
    const authorized = await authorize(app, transfer, current, end)
    if ('code' in authorized) return { refused: authorized }
    current = authorized
    if (current.authorizationId === null) return { refused: cancelled }
  }
  return { plaidTransferId: await create(app, transfer, current, current.authorizationId, end) }
}
