import { defineProblem } from '../../plugins/http/errors/problem.ts'

export const insufficientFunds = defineProblem({
  status: 422,
  code: 'insufficient_funds',
  meaning: 'The account has less than the amount, after what transfers under way have promised already.',
  cure: '`available` is what is left. Send a smaller amount, or wait until other transfers from the account have ended.'
})

export const transferDeclined = defineProblem({
  status: 422,
  code: 'transfer_declined',
  meaning: 'Plaid examined the transfer and did not approve it; no money has moved.',
  cure: '`reason` is Plaid’s code. With `ITEM_LOGIN_REQUIRED` the end-user has to repair the bank’s login in Link’s update mode; with `NSF` the money is not there.'
})

export const sameAccount = defineProblem({
  status: 422,
  code: 'same_account',
  meaning: 'The transfer leads from an account to itself.',
  cure: 'Name two different accounts.'
})

export const accountNotTransferable = defineProblem({
  status: 422,
  code: 'account_not_transferable',
  meaning: 'Money cannot be moved from or to this kind of account.',
  cure: 'Use a checking or a savings account; `account_id` names the one at fault.'
})

export const currencyMismatch = defineProblem({
  status: 422,
  code: 'currency_mismatch',
  meaning: 'One of the accounts does not hold the currency of the transfer.',
  cure: 'Both accounts must hold US dollars, and `currency` must be USD.'
})

export const railUnavailable = defineProblem({
  status: 422,
  code: 'rail_unavailable',
  meaning: 'The rail that was asked for cannot carry this transfer now.',
  cure: 'Leave `rail` out to take the fastest one that can, or ask again while the rail is open.'
})

export const transferNotCancellable = defineProblem({
  status: 409,
  code: 'transfer_not_cancellable',
  meaning: 'The transfer is under way or at its end; only one that is `submitted` can be cancelled.',
  cure: 'Read the transfer for its state. Money that has arrived comes back by a transfer in the other direction.'
})

export const illegalTransition = defineProblem({
  status: 409,
  code: 'illegal_transition',
  meaning: 'The transfer’s state does not allow this step.',
  cure: 'The way is submitted, pending, posted, settled; `failed` before `posted`, `returned` after it. `state` is the present one.'
})

export const transfersUnderWay = defineProblem({
  status: 409,
  code: 'transfers_under_way',
  meaning: 'Money is under way from or to an account of the item; without the item it could arrive nowhere.',
  cure: '`transfers` names the transfers. Wait until they are settled, or cancel those that are submitted, then delete the item.'
})
