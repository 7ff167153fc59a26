import { invalidFields, notFound, upstreamUnavailable } from '../../plugins/http/errors/kinds.ts'
import { defineProblem } from '../../plugins/http/errors/problem.ts'
import { fromCents } from '../../plugins/money.ts'
import type { LegKind } from './leg-states.ts'
import type { Rail } from './rails.ts'

export const insufficientFunds = defineProblem({
  status: 422,
  code: 'insufficient_funds',
  meaning: 'The account’s balance, less the transfers under way, is below the amount.',
  cure: '`available` is what is left. Send a smaller amount, or wait until other transfers from the account have ended.',
  describe: (leftCents: number, requiredCents: number) => {
    const [available, required] = [fromCents(Math.max(0, leftCents)), fromCents(requiredCents)]
    return {
      detail: `The account has ${available.toFixed(2)} available for transfers; ${required.toFixed(2)} is required. Send a smaller amount.`,
      members: { available, required }
    }
  }
})

/** Plaid's decision not to carry out a payment. */
export interface Refusal {
  code: string
  description: string
  /** The same payment can succeed once the end-user has repaired the bank login. */
  loginRequired: boolean
}

export const transferDeclined = defineProblem({
  status: 422,
  code: 'transfer_declined',
  meaning: 'Plaid did not approve the transfer; no money has moved.',
  cure: '`reason` is Plaid’s code. For `ITEM_LOGIN_REQUIRED` the end-user must repair the bank login in Link’s update mode; for `NSF` the account lacks the money.',
  describe: ({ code, description, loginRequired }: Refusal) => ({
    detail: loginRequired
      ? 'The bank login must be repaired. Open Link in update mode, then retry.'
      : `Plaid declined the transfer: ${description}`,
    members: { reason: code, reason_description: description }
  })
})
export const sameAccount = defineProblem({
  status: 422,
  code: 'same_account',
  meaning: 'The source and the destination of the transfer are the same account.',
  cure: 'Name two different accounts.',
  describe: () => 'The source and the destination are the same account. Name two different accounts.'
})
export const accountNotTransferable = defineProblem({
  status: 422,
  code: 'account_not_transferable',
  meaning: 'Money cannot be moved from or to this type of account.',
  cure: 'Use a checking or a savings account; `account_id` names the account at fault.',
  describe: (accountId: string) => ({
    detail: `Money cannot be moved from or to account \`${accountId}\`. Use a checking or a savings account.`,
    members: { account_id: accountId }
  })
})
export const currencyMismatch = defineProblem({
  status: 422,
  code: 'currency_mismatch',
  meaning: 'An account does not hold the currency of the transfer.',
  cure: 'Both accounts must hold US dollars, and `currency` must be USD.',
  describe: (accountId: string, held: string | null, currency: string) => ({
    detail: `Account \`${accountId}\` holds ${held ?? 'an unknown currency'} and the transfer is in ${currency}. Both must be USD.`,
    members: { account_id: accountId, currency }
  })
})
export const railUnavailable = defineProblem({
  status: 422,
  code: 'rail_unavailable',
  meaning: 'The requested rail cannot carry this transfer now.',
  cure: 'Omit `rail` to use the fastest available rail, or retry while the rail is open.',
  describe: (rail: Rail, reason: string) => ({
    detail: `${reason} Omit \`rail\` to use the fastest available rail.`,
    members: { rail }
  })
})
export const transferNotCancellable = defineProblem({
  status: 409,
  code: 'transfer_not_cancellable',
  meaning: 'The transfer is under way or has ended; only a `submitted` transfer can be cancelled.',
  cure: 'Read the transfer for its state. To return money that has arrived, make a transfer in the other direction.',
  describe: (state: string) => ({
    detail: `The transfer is ${state}. Only a submitted transfer can be cancelled.`,
    members: { state }
  })
})
export const illegalTransition = defineProblem({
  status: 409,
  code: 'illegal_transition',
  meaning: 'The transfer’s state does not allow this step.',
  cure: 'The order is submitted, pending, posted, settled; `failed` is possible before `posted`, `returned` after it. `state` is the present state.',
  describe: (state: string, event: string, leg?: LegKind) => ({
    detail: `The ${leg ?? 'transfer'} is ${state} and cannot become ${event}. Read the transfer for its next steps.`,
    members: leg === undefined ? { state, event } : { leg, state, event }
  })
})

const mostInDetail = 3
export const transfersUnderWay = defineProblem({
  status: 409,
  code: 'transfers_under_way',
  meaning: 'Money is under way from or to an account of the item and needs the item to arrive.',
  cure: '`transfers` names the transfers. Wait until they are settled, or cancel the submitted ones, then delete the item.',
  describe: (transfers: string[]) => {
    const named = transfers.slice(0, mostInDetail).join(', ')
    const others = transfers.length > mostInDetail ? ' and others' : ''
    return {
      detail: `Transfers of this item are under way: ${named}${others}. Wait until they end, or cancel the submitted ones, then retry.`,
      members: { transfers }
    }
  }
})

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
  invalidFields([
    { path: 'body/routing_number', message: 'is not a routing number: its prefix or its checksum is wrong' }
  ])
