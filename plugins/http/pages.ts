import { createHash } from 'node:crypto'

const style = `
:root{color-scheme:light dark;--ink:#1c2430;--soft:#566072;--line:#dde2e9;--back:#fff;--code:#eef1f5;--link:#0b5cad}
@media (prefers-color-scheme:dark){:root{--ink:#dfe5ee;--soft:#a3aec0;--line:#2c3542;--back:#14181f;--code:#232a35;--link:#7db8f5}}
body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:var(--ink);background:var(--back);overflow-wrap:anywhere}
h1{font-size:1.6rem}
h2{font-size:1.2rem}
a{color:var(--link)}
code,pre{font:.95em ui-monospace,monospace;background:var(--code);border-radius:3px}
code{padding:.1em .3em}
pre{padding:.8rem 1rem;overflow-x:auto}
small,dt{color:var(--soft)}
dl{display:grid;grid-template-columns:auto 1fr;gap:.3rem 1.2rem}
dd{margin:0}
ul{list-style:none;padding:0}
li{border-top:1px solid var(--line);padding:.6rem 0}
li p{margin:.2rem 0 0}
form{display:flex;gap:.5rem;flex-wrap:wrap}
input,button{font:inherit;padding:.4rem .7rem;border:1px solid var(--line);border-radius:5px;background:var(--code);color:inherit}
input{flex:1;min-width:0}
`

/**
 * The Content-Security-Policy of a page: it holds text and its own style only.
 * @param formAction where its forms can be sent
 */
export const pagePolicy = (formAction: "'none'" | "'self'" = "'none'"): string =>
  `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action ${formAction}; frame-ancestors 'none'`

/** The headers of a page without forms. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': pagePolicy()
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text that is safe inside an element and inside a quoted attribute. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => entities[character] ?? character)

/** Escapes text and marks what stands between backticks as code. */
export const prose = (text: string): string => escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>')

/**
 * A page for people, readable on a phone and in the dark.
 * @param body HTML, in which all foreign text is escaped
 */
export const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`
