import { countPathParameters } from './requests.ts'
import type { MethodEntry } from './types.ts'

type Call = (...given: unknown[]) => Promise<unknown>
type Page = Record<string, unknown>

/**
 * Every page of a list, requested one at a time. A feed whose position the server stores is read from the beginning, unless
 * the query has a cursor. Every request then has a cursor, so a lost response loses no data.
 */
export async function* walkPages(
  entry: MethodEntry,
  call: Call,
  given: readonly unknown[]
): AsyncGenerator<Page, void, undefined> {
  const { page } = entry
  if (page === undefined) return
  const before = given.slice(0, countPathParameters(entry))
  const [query, options] = given.slice(before.length) as [Page | undefined, unknown]
  let from: Page = entry.movesPosition === true ? { [page.parameter]: '', ...query } : { ...query }
  for (;;) {
    const result = (await call(...before, from, options)) as Page
    yield result
    const position = result[page.next]
    if (position === null || position === undefined || position === '' || result['has_more'] === false) return
    from = { ...query, [page.parameter]: position }
  }
}

/** Every item of a list, page after page. */
export async function* walkItems(
  entry: MethodEntry,
  call: Call,
  given: readonly unknown[]
): AsyncGenerator<unknown, void, undefined> {
  const [list = ''] = entry.page?.lists ?? []
  for await (const page of walkPages(entry, call, given)) yield* page[list] as unknown[]
}
