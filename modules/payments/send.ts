import type { FastifyInstance } from 'fastify'
import { ACHClass, TransferAuthorizationDecision, TransferNetwork, TransferType } from 'plaid'
import { isPlaidFailure } from '../../plugins/plaid/index.ts'
import type { End } from './ends.ts'
import { dropAuthorization, listLegs, saveAuthorization, type LegRow } from './queries/legs.ts'
import type { TransferRow } from './queries/transfers.ts'

/** How long an authorization can be used at Plaid, and a little more: what is older than this has expired for certain. */
const authorizationLifeMs = 65 * 60_000
/** Plaid's limit for descriptions that travel by ACH. */
const longestDescription = 10

/** Plaid took the leg, or decided against it; then why. */
export type SendResult = { plaidTransferId: string } | { refused: Refusal }

export interface Refusal {
  code: string
  description: string
  /** Somebody has to repair the bank's login; then the same can succeed. */
  loginRequired: boolean
}

const networks = {
  ach: TransferNetwork.Ach,
  'same-day-ach': TransferNetwork.SameDayAch,
  rtp: TransferNetwork.Rtp
} as const

/** Plaid writes amounts as dollars with two decimals. */
export const dollarsOf = (cents: number): string => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`

/** What a bank statement can show of a memo: letters, digits and spaces. */
export const descriptionOf = (memo: string | null): string => {
  const text = (memo ?? '')
    .replace(/[^A-Za-z0-9 ]+/g, ' ')
    .replace(/ +/g, ' ')
    .trim()
    .slice(0, longestDescription)
    .trim()
  return text === '' ? 'Transfer' : text
}

const authorize = async (
  app: FastifyInstance,
  transfer: TransferRow,
  leg: LegRow,
  end: End
): Promise<LegRow | Refusal> => {
  const isDebit = leg.kind === 'debit'
  const { authorization } = await app.plaid.in(transfer.environment).call(
    (api) =>
      api.transferAuthorizationCreate({
        access_token: end.accessToken,
        account_id: end.plaidAccountId,
        type: isDebit ? TransferType.Debit : TransferType.Credit,
        network: networks[leg.network],
        amount: dollarsOf(leg.amount_cents),
        ...(leg.network === 'rtp' ? {} : { ach_class: isDebit ? ACHClass.Web : ACHClass.Ppd }),
        user: { legal_name: end.legalName },
        idempotency_key: `${leg.id}-${leg.authorization_attempt}`
      }),
    { repeatable: true }
  )
  if (authorization.decision === TransferAuthorizationDecision.Approved)
    return await saveAuthorization(app.database.db, leg, authorization.id, app.clock.now())
  const { decision_rationale: rationale } = authorization
  const loginRequired = authorization.decision === TransferAuthorizationDecision.UserActionRequired
  return {
    code: rationale?.code ?? authorization.decision.toUpperCase(),
    description: rationale?.description ?? 'Plaid did not approve the transfer.',
    loginRequired
  }
}

/** Plaid's transfer of an authorization, where it has come to one. */
export const findByAuthorization = async (
  app: FastifyInstance,
  transfer: TransferRow,
  authorizationId: string
): Promise<string | undefined> => {
  try {
    return (
      await app.plaid
        .in(transfer.environment)
        .call((api) => api.transferGet({ authorization_id: authorizationId }), { repeatable: true })
    ).transfer.id
  } catch (error) {
    // Only Plaid's word that it knows no such transfer: wrong keys or a proxy between say nothing of the transfer.
    if (isPlaidFailure(error) && error.errorType === 'INVALID_REQUEST') return undefined
    throw error
  }
}

/** Plaid's transfer of a leg, where Plaid has taken it, also when its answer was lost. Throws while Plaid cannot say. */
export const findTaken = async (
  app: FastifyInstance,
  transfer: TransferRow,
  legId: string
): Promise<string | undefined> => {
  const leg = (await listLegs(app.database.db, transfer.id)).find(({ id }) => id === legId)
  if (leg === undefined) return undefined
  if (leg.plaid_transfer_id !== null) return leg.plaid_transfer_id
  return leg.authorization_id === null ? undefined : await findByAuthorization(app, transfer, leg.authorization_id)
}

/** An authorization becomes one transfer at most, so this can be repeated by anybody at any time. */
const create = async (app: FastifyInstance, transfer: TransferRow, leg: LegRow, end: End): Promise<string> => {
  const request = {
    access_token: end.accessToken,
    account_id: end.plaidAccountId,
    authorization_id: leg.authorization_id ?? '',
    amount: dollarsOf(leg.amount_cents),
    description: leg.kind === 'refund' ? 'Refund' : descriptionOf(transfer.memo),
    metadata: { transfer_id: transfer.id, leg_id: leg.id }
  }
  return (await app.plaid.in(transfer.environment).call((api) => api.transferCreate(request), { repeatable: true }))
    .transfer.id
}

export const hasExpired = (app: FastifyInstance, { authorized_at }: LegRow): boolean =>
  authorized_at !== null && app.clock.now().getTime() - authorized_at.getTime() > authorizationLifeMs

/**
 * Hands a leg to Plaid: an authorization and the transfer that carries it out. However often, by however many, and after whatever crash this is called,
 * Plaid makes one transfer: the authorization's key is the leg's, the authorization that holds is stored before it is used, and another one is asked for
 * only when that one has expired for certain without a transfer.
 *
 * @throws PlaidFailure when Plaid refuses the request itself, ProblemError 502 when it does not answer
 */
export const sendLeg = async (
  app: FastifyInstance,
  transfer: TransferRow,
  leg: LegRow,
  end: End
): Promise<SendResult> => {
  let current = leg
  if (current.authorization_id !== null && hasExpired(app, current)) {
    const plaidTransferId = await findByAuthorization(app, transfer, current.authorization_id)
    if (plaidTransferId !== undefined) return { plaidTransferId }
    current = await dropAuthorization(app.database.db, current)
  }
  if (current.authorization_id === null) {
    const authorized = await authorize(app, transfer, current, end)
    if ('code' in authorized) return { refused: authorized }
    current = authorized
    if (current.authorization_id === null)
      return {
        refused: { code: 'CALLED_OFF', description: 'The payment is not wanted any more.', loginRequired: false }
      }
  }
  return { plaidTransferId: await create(app, transfer, current, end) }
}
