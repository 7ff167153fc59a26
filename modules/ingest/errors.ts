import { defineProblem } from '../../plugins/http/errors/problem.ts'

export const unknownPartner = defineProblem({
  status: 400,
  code: 'unknown_partner',
  meaning: 'At least one event names a partner that does not exist. Nothing in the request was stored.',
  cure: '`missing` lists the ids. Correct them or remove their events, then retry.'
})
