import { defineProblem } from '../http/errors/problem.ts'

export const hostNotAllowed = defineProblem({
  status: 403,
  code: 'host_not_allowed',
  meaning:
    'The `Host` header is not a name of this server. A web page may have used DNS rebinding to send a browser here.',
  cure: 'Use the public URL of the server. The operator sets it as ATLAS_PUBLIC_URL.'
})
export const originNotAllowed = defineProblem({
  status: 403,
  code: 'origin_not_allowed',
  meaning: 'The request comes from a web page of another origin. Such pages cannot call the tools.',
  cure: 'Call the tools from a program or a backend, or serve the page from the origin of the server.'
})
