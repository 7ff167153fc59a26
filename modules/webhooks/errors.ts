import { defineProblem } from '../../plugins/http/errors/problem.ts'

export const webhookLimitReached = defineProblem({
  status: 422,
  code: 'webhook_limit_reached',
  meaning: 'The partner has reached the maximum number of webhook endpoints.',
  cure: 'Delete an unused endpoint, or subscribe an existing one to more events.'
})
export const webhookDisabled = defineProblem({
  status: 409,
  code: 'webhook_disabled',
  meaning: 'The webhook endpoint is disabled, so nothing is sent to it.',
  cure: 'Enable it with PATCH and `status: enabled`, then retry.'
})
