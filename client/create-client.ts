import type { AtlasResources } from '../spec/generated/client-methods.ts'
import { methods } from '../spec/generated/client-methods.ts'
import { walkItems, walkPages } from './pages.ts'
import { prepareRequest } from './requests.ts'
import { sendRequest } from './sending.ts'
import type { ClientOptions, MethodEntry, MethodTable } from './types.ts'

/** All operations, called as `atlas.resource.method(…path parameters, body or query, options)`. */
export type AtlasClient = AtlasResources

const methodOf = (entry: MethodEntry, options: ClientOptions): unknown => {
  const call = async (...given: unknown[]): Promise<unknown> =>
    sendRequest(prepareRequest(entry, given, options.headers), options)
  if (entry.page === undefined) return call
  return Object.assign(call, {
    pages: (...given: unknown[]) => walkPages(entry, call, given),
    ...(entry.page.lists.length === 1 ? { all: (...given: unknown[]) => walkItems(entry, call, given) } : {})
  })
}

/**
 * Creates a client of an AtlasForge server. It retries failed requests whose effect cannot happen twice; see `maxRetries`,
 * `timeoutMs` and `maxRetryAfterMs`.
 * @throws TypeError when baseUrl is not a URL
 */
export const createAtlasClient = (options: ClientOptions): AtlasClient => {
  new URL(options.baseUrl)
  const resources = Object.entries<MethodTable[string]>(methods).map(([resource, entries]) => [
    resource,
    Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, methodOf(entry, options)]))
  ])
  // The table and the interface are generated from the same operations.
  return Object.fromEntries(resources) as AtlasClient
}
