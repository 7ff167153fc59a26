import { notFound } from '../../plugins/http/errors/kinds.ts'
import { defineProblem, type ProblemMembers } from '../../plugins/http/errors/problem.ts'

export const invalidPublicToken = defineProblem({
  status: 400,
  code: 'invalid_public_token',
  meaning: 'Plaid rejected the public token.',
  cure: 'A public token expires after 30 minutes and belongs to one environment. Run Link again and send the new token. `error_code` and `request_id` come from Plaid.',
  describe: (members: ProblemMembers = {}) => ({
    detail: 'Plaid rejected this public token. Run Link again and send the new one.',
    members
  })
})

export const plaidRefused = defineProblem({
  status: 400,
  code: 'plaid_refused',
  meaning: 'Plaid rejected the input of this request.',
  cure: '`error_code` comes from Plaid; https://plaid.com/docs/errors/ explains it.',
  describe: (errorCode: string, members: ProblemMembers) => ({
    detail: `Plaid rejected the request with ${errorCode}.`,
    members
  })
})

export const itemOfAnotherUser = defineProblem({
  status: 409,
  code: 'item_of_another_user',
  meaning: 'The item is already linked to another of your end-users.',
  cure: 'Delete the item of the other end-user first, or link with that end-user.',
  describe: () => 'This item is linked to another of your end-users. Delete it there first.'
})

export const invalidWebhookSignature = defineProblem({
  status: 401,
  code: 'invalid_webhook_signature',
  meaning: 'The webhook has no valid, recent signature by Plaid.',
  cure: 'Only Plaid can send these webhooks. If Plaid sent this one, check the server’s clock, and that no proxy modifies bodies.',
  describe: () => 'The webhook has no valid Plaid signature.'
})

export const itemNotFound = () => notFound('There is no such item.')
