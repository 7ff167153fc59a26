import { validationFailed } from '../../plugins/http/errors/kinds.ts'
import { defineProblem, type ProblemError } from '../../plugins/http/errors/problem.ts'

export const webhookLimitReached = defineProblem({
  status: 422,
  code: 'webhook_limit_reached',
  meaning: 'The partner has as many webhook endpoints as one partner may have.',
  cure: 'Delete an endpoint that is not needed any more, or subscribe an existing one to more events.'
})
export const webhookDisabled = defineProblem({
  status: 409,
  code: 'webhook_disabled',
  meaning: 'The endpoint is disabled, so nothing is sent to it.',
  cure: 'Enable it with PATCH and `status: enabled`, then try again.'
})

/** A field that is well-formed and still not acceptable. */
export const fieldRefused = (path: string, message: string): ProblemError =>
  validationFailed(`The request has 1 invalid field: ${path}.`, { errors: [{ path, message }] })
