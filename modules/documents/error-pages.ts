import { problemKinds, slugOf, type ProblemError, type ProblemKind } from '../../plugins/http/errors/problem.ts'

/** The Content-Security-Policy of the pages below: they hold text and style only. */
export const errorPagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const style = `body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; color: #1c2430; background: #fff }
h1 { font-size: 1.6rem } code { font: 0.95em ui-monospace, monospace; background: #eef1f5; padding: 0.1em 0.3em; border-radius: 3px }
table { border-collapse: collapse; width: 100% } td { border-top: 1px solid #dde2e9; padding: 0.5rem 0.75rem 0.5rem 0; vertical-align: top }
a { color: #0b5cad }
@media (prefers-color-scheme: dark) { body { color: #dfe5ee; background: #14181f } code { background: #232a35 } td { border-color: #2c3542 } a { color: #7db8f5 } }`

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text that is safe inside an element and inside a quoted attribute. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => entities[character] ?? character)

/** Escapes text and marks what stands between backticks as code. */
const prose = (text: string): string => escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>')

const document = (title: string, body: string): string =>
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
</body>
</html>
`

/** Returns every kind of error, sorted by status and then by code. */
export const allKinds = (): ProblemKind[] =>
  [...problemKinds.values()].sort((a, b) => a.status - b.status || (a.code < b.code ? -1 : 1))

/** The page that the `type` of a problem links to. */
export const errorPage = (kind: ProblemKind): string =>
  document(
    kind.code,
    `<h1><code>${escapeHtml(kind.code)}</code></h1>
<p>Status ${kind.status}</p>
<h2>Meaning</h2>
<p>${prose(kind.meaning)}</p>
<h2>Solution</h2>
<p>${prose(kind.cure)}</p>
<p><a href="/errors">All errors</a></p>`
  )

/** The page that lists every kind of error. */
export const errorListPage = (): string =>
  document(
    'Errors',
    `<h1>Errors</h1>
<p>Every code that a response can have in <code>title</code> and <code>error</code>.</p>
<table>
${allKinds()
  .map(
    (kind) =>
      `<tr><td>${kind.status}</td><td><a href="/errors/${slugOf(kind.code)}"><code>${escapeHtml(kind.code)}</code></a></td><td>${prose(kind.meaning)}</td></tr>`
  )
  .join('\n')}
</table>`
  )

/** The page that a browser gets in place of a problem. */
export const problemPage = (problem: ProblemError): string =>
  document(
    problem.kind.code,
    `<h1>${problem.kind.status} <code>${escapeHtml(problem.kind.code)}</code></h1>
<p>${prose(problem.detail)}</p>
<p><a href="/errors">All errors</a></p>`
  )
