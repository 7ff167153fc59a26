import { defineProblem } from '../../plugins/http/errors/problem.ts'

export const invalidPublicToken = defineProblem({
  status: 400,
  code: 'invalid_public_token',
  meaning: 'Plaid did not take the public token.',
  cure: 'A public token lives for 30 minutes and belongs to one environment. Run Link again and send the new token; `error_code` and `request_id` are Plaid’s own.'
})

export const plaidRefused = defineProblem({
  status: 400,
  code: 'plaid_refused',
  meaning: 'Plaid did not take what this request passes on to it.',
  cure: '`error_code` is Plaid’s own code; https://plaid.com/docs/errors/ explains it.'
})

export const itemOfAnotherUser = defineProblem({
  status: 409,
  code: 'item_of_another_user',
  meaning: 'The item is linked to another of your end-users; an item belongs to one.',
  cure: 'Delete the item there first, or link with the end-user that it belongs to.'
})

export const invalidWebhookSignature = defineProblem({
  status: 401,
  code: 'invalid_webhook_signature',
  meaning: 'The webhook does not carry a valid, recent signature of Plaid over its body.',
  cure: 'Only Plaid can send these webhooks. If Plaid did, check the server’s clock and that no proxy changes bodies.'
})
