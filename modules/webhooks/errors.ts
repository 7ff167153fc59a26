import { notFound } from '../../plugins/http/errors/kinds.ts'
import { defineProblem } from '../../plugins/http/errors/problem.ts'
import { maxRotations } from './secrets.ts'

export const webhookLimitReached = defineProblem({
  status: 422,
  code: 'webhook_limit_reached',
  meaning: 'The partner has reached the maximum number of webhook endpoints.',
  cure: 'Delete an unused endpoint, or subscribe an existing one to more events.',
  describe: (limit: number) => ({
    detail: `This partner has ${limit} endpoints. Delete one that is no longer needed.`,
    members: { limit, resource: 'webhooks' }
  })
})
export const rotationLimitReached = defineProblem({
  status: 422,
  code: 'rotation_limit_reached',
  meaning:
    'The secret was rotated 5 times within 24 hours. One more rotation would invalidate a secret that may be in use.',
  cure: 'Rotate it again when the oldest of the 5 secrets has expired, or create a new endpoint.',
  describe: (next: Date) =>
    `The secret was rotated ${maxRotations} times within 24 hours. Rotate it again after ${next.toISOString()}.`
})
export const webhookDisabled = defineProblem({
  status: 409,
  code: 'webhook_disabled',
  meaning: 'The webhook endpoint is disabled, so nothing is sent to it.',
  cure: 'Enable it with PATCH and `status: enabled`, then retry.',
  describe: () => 'The endpoint is disabled. Enable it first.'
})

export const webhookNotFound = () => notFound('There is no such webhook.')
export const deliveryNotFound = () => notFound('There is no such delivery.')
