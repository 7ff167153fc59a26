import { problemBody } from '../../plugins/http/errors/index.ts'
import { ProblemError, problemKinds, slugOf, type ProblemKind } from '../../plugins/http/errors/problem.ts'
import { escapeHtml, page, pagePolicy, prose } from '../../plugins/http/pages.ts'
import { problemExamples } from '../../spec/generated/problems.ts'

/** The Content-Security-Policy of the list of errors, whose search is a form. */
export const errorListPolicy = pagePolicy("'self'")

const exampleRequestId = 'req_01jd7n2m8s'

/** Whether a kind of error contains every word of a search, in its status, code, meaning or solution. */
const matches = ({ status, code, meaning, cure }: ProblemKind, words: string[]): boolean => {
  const text = `${status} ${code} ${code.replaceAll('_', ' ')} ${meaning} ${cure}`.toLowerCase()
  return words.every((word) => text.includes(word))
}

/** Returns the kinds of errors that contain every word of the search, sorted by status and then by code. An empty search finds all. */
export const findKinds = (search: string): ProblemKind[] => {
  const words = search
    .toLowerCase()
    .split(/[\s-]+/)
    .filter((word) => word !== '')
  return [...problemKinds.values()]
    .filter((kind) => matches(kind, words))
    .sort((a, b) => a.status - b.status || (a.code < b.code ? -1 : 1))
}

/** A problem of this kind as a response has it: the example of the specification, or else one with the meaning as its detail. */
const exampleOf = (kind: ProblemKind, baseUrl: string): Record<string, unknown> => {
  const base = problemBody(new ProblemError(kind, kind.meaning), exampleRequestId, baseUrl)
  const examples = problemExamples[kind.code] ?? []
  return { ...base, ...(examples.find(({ status }) => status === kind.status) ?? examples[0]), type: base.type }
}

/**
 * The page that the `type` of a problem links to.
 * @param baseUrl the public URL of this server; empty when it has none
 */
export const errorPage = (kind: ProblemKind, baseUrl: string): string =>
  page(
    kind.code,
    `<h1><code>${escapeHtml(kind.code)}</code></h1>
<p>Status ${kind.status}</p>
<h2>Meaning</h2>
<p>${prose(kind.meaning)}</p>
<h2>Solution</h2>
<p>${prose(kind.cure)}</p>
<h2>Example</h2>
<pre>${escapeHtml(JSON.stringify(exampleOf(kind, baseUrl), null, 2))}</pre>
<p><a href="/errors">All errors</a></p>`
  )

const toEntry = (kind: ProblemKind): string =>
  `<li><a href="/errors/${slugOf(kind.code)}"><code>${escapeHtml(kind.code)}</code></a> <small>${kind.status}</small><p>${prose(kind.meaning)}</p></li>`

/** The page that lists the kinds of errors that match a search, with a field to search again. */
export const errorListPage = (search: string): string => {
  const found = findKinds(search)
  const count =
    found.length === 0 ? 'No code matches. Search for fewer words.' : `${found.length} of ${problemKinds.size} codes`
  return page(
    'Errors',
    `<h1>Errors</h1>
<p>Every code that a response can have in <code>title</code> and <code>error</code>.</p>
<form action="/errors" role="search">
<input type="search" name="q" value="${escapeHtml(search)}" maxlength="100" aria-label="Status, code or words" placeholder="Status, code or words">
<button>Search</button>
</form>
<p><small>${count}</small>${search === '' ? '' : ' <a href="/errors">Show all</a>'}</p>
<ul>
${found.map(toEntry).join('\n')}
</ul>`
  )
}
