import { defineProblem } from '../http/errors/problem.ts'

export const hostNotAllowed = defineProblem({
  status: 403,
  code: 'host_not_allowed',
  meaning:
    'The request names this server by a host that is not its own; a web page may have led a browser here under a foreign name.',
  cure: 'Call the server by its public address. Its operator sets that address as ATLAS_PUBLIC_URL.'
})
export const originNotAllowed = defineProblem({
  status: 403,
  code: 'origin_not_allowed',
  meaning: 'The request comes from a web page of another site, and those may not use the tools.',
  cure: 'Call from a program or from your backend and not from a page; or serve the page under the server’s own address.'
})
