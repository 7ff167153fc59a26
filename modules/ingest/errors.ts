import { defineProblem } from '../../plugins/http/errors/problem.ts'

const maxNamed = 3

const listIds = (ids: string[]): string =>
  `${ids.slice(0, maxNamed).join(', ')}${ids.length > maxNamed ? ` and ${ids.length - maxNamed} more` : ''}`

export const unknownPartner = defineProblem({
  status: 400,
  code: 'unknown_partner',
  meaning: 'At least one event names a partner that does not exist. Nothing in the request was stored.',
  cure: '`missing` lists the ids. Correct them or remove their events, then retry.',
  describe: (missing: string[]) => ({
    detail: `There is no partner with the id ${listIds(missing)}. Nothing was stored.`,
    members: { missing }
  })
})
