import { notFound, upstreamUnavailable, validationFailed } from '../../plugins/http/errors/kinds.ts'
import { defineProblem } from '../../plugins/http/errors/problem.ts'
import { fromCents } from '../../plugins/money.ts'
import type { LegKind } from './leg-states.ts'
import type { Rail } from './rails.ts'

const insufficientFundsProblem = defineProblem({
  status: 422,
  code: 'insufficient_funds',
  meaning: 'The account’s balance, less the transfers under way, is below the amount.',
  cure: '`available` is what is left. Send a smaller amount, or wait until other transfers from the account have ended.'
})
export const insufficientFunds = (leftCents: number, requiredCents: number) => {
  const [available, required] = [fromCents(Math.max(0, leftCents)), fromCents(requiredCents)]
  return insufficientFundsProblem(
    `The account has ${available.toFixed(2)} available for transfers; ${required.toFixed(2)} is required. Send a smaller amount.`,
    { available, required }
  )
}

/** Plaid's decision not to carry out a payment. */
export interface Refusal {
  code: string
  description: string
  /** The same payment can succeed once the end-user has repaired the bank login. */
  loginRequired: boolean
}

const transferDeclinedProblem = defineProblem({
  status: 422,
  code: 'transfer_declined',
  meaning: 'Plaid did not approve the transfer; no money has moved.',
  cure: '`reason` is Plaid’s code. For `ITEM_LOGIN_REQUIRED` the end-user must repair the bank login in Link’s update mode; for `NSF` the account lacks the money.'
})
export const transferDeclined = ({ code, description, loginRequired }: Refusal) =>
  transferDeclinedProblem(
    loginRequired
      ? 'The bank login must be repaired. Open Link in update mode, then retry.'
      : `Plaid declined the transfer: ${description}`,
    { reason: code, reason_description: description }
  )

const sameAccountProblem = defineProblem({
  status: 422,
  code: 'same_account',
  meaning: 'The source and the destination of the transfer are the same account.',
  cure: 'Name two different accounts.'
})
export const sameAccount = () =>
  sameAccountProblem('The source and the destination are the same account. Name two different accounts.')

const accountNotTransferableProblem = defineProblem({
  status: 422,
  code: 'account_not_transferable',
  meaning: 'Money cannot be moved from or to this type of account.',
  cure: 'Use a checking or a savings account; `account_id` names the account at fault.'
})
export const accountNotTransferable = (accountId: string) =>
  accountNotTransferableProblem(
    `Money cannot be moved from or to account \`${accountId}\`. Use a checking or a savings account.`,
    { account_id: accountId }
  )

const currencyMismatchProblem = defineProblem({
  status: 422,
  code: 'currency_mismatch',
  meaning: 'An account does not hold the currency of the transfer.',
  cure: 'Both accounts must hold US dollars, and `currency` must be USD.'
})
export const currencyMismatch = (accountId: string, held: string | null, currency: string) =>
  currencyMismatchProblem(
    `Account \`${accountId}\` holds ${held ?? 'an unknown currency'} and the transfer is in ${currency}. Both must be USD.`,
    { account_id: accountId, currency }
  )

const railUnavailableProblem = defineProblem({
  status: 422,
  code: 'rail_unavailable',
  meaning: 'The requested rail cannot carry this transfer now.',
  cure: 'Omit `rail` to use the fastest available rail, or retry while the rail is open.'
})
/** @param reason a sentence */
export const railUnavailable = (rail: Rail, reason: string) =>
  railUnavailableProblem(`${reason} Omit \`rail\` to use the fastest available rail.`, { rail })

const transferNotCancellableProblem = defineProblem({
  status: 409,
  code: 'transfer_not_cancellable',
  meaning: 'The transfer is under way or has ended; only a `submitted` transfer can be cancelled.',
  cure: 'Read the transfer for its state. To return money that has arrived, make a transfer in the other direction.'
})
export const transferNotCancellable = (state: string) =>
  transferNotCancellableProblem(`The transfer is ${state}. Only a submitted transfer can be cancelled.`, { state })

const illegalTransitionProblem = defineProblem({
  status: 409,
  code: 'illegal_transition',
  meaning: 'The transfer’s state does not allow this step.',
  cure: 'The order is submitted, pending, posted, settled; `failed` is possible before `posted`, `returned` after it. `state` is the present state.'
})
/** @param leg the leg that should take the step; undefined for the transfer as a whole */
export const illegalTransition = (state: string, event: string, leg?: LegKind) =>
  illegalTransitionProblem(
    `The ${leg ?? 'transfer'} is ${state} and cannot become ${event}. Read the transfer for its next steps.`,
    leg === undefined ? { state, event } : { leg, state, event }
  )

const transfersUnderWayProblem = defineProblem({
  status: 409,
  code: 'transfers_under_way',
  meaning: 'Money is under way from or to an account of the item and needs the item to arrive.',
  cure: '`transfers` names the transfers. Wait until they are settled, or cancel the submitted ones, then delete the item.'
})
const mostInDetail = 3
export const transfersUnderWay = (transfers: string[]) => {
  const named = transfers.slice(0, mostInDetail).join(', ')
  const others = transfers.length > mostInDetail ? ' and others' : ''
  return transfersUnderWayProblem(
    `Transfers of this item are under way: ${named}${others}. Wait until they end, or cancel the submitted ones, then retry.`,
    { transfers }
  )
}

export const transferNotFound = () => notFound('The transfer does not exist. Check its id.')

export const recipientNotFound = () => notFound('The recipient does not exist. Check its id.')

export const sourceNotFound = (accountId: string) =>
  notFound('The source account does not exist. Check `from_account_id`.', { account_id: accountId })

export const destinationNotFound = (accountId: string) =>
  notFound('The destination is neither an account nor a recipient. Check `to_account_id`.', { account_id: accountId })

export const accountBeingDeleted = () => notFound('An account of the transfer is being deleted. Use another account.')

export const preparationExpired = () =>
  upstreamUnavailable('The transfer took too long and was abandoned; no money has moved. Retry.')

export const invalidRoutingNumber = () =>
  validationFailed('The request has 1 invalid field: body/routing_number.', {
    errors: [{ path: 'body/routing_number', message: 'is not a routing number: its checksum is wrong' }]
  })
