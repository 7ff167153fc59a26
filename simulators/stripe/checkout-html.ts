import { createHash } from 'node:crypto'
import type { SessionRow } from './tables.ts'

const style = `
:root{color-scheme:light dark;--ink:#1a1f36;--soft:#4f566b;--line:#d5dbe5;--back:#f6f8fb;--card:#fff;
--key:#4338ca;--keyink:#fff;--note:#fff4d6;--noteink:#6b4a00}
@media (prefers-color-scheme:dark){:root{--ink:#eef1f7;--soft:#b3bccd;--line:#3a4256;--back:#12151d;--card:#1b202c;
--key:#a5b4fc;--keyink:#12151d;--note:#3b3013;--noteink:#ffe2a0}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:30rem;margin:4vh auto;padding:0 1rem}
.note{background:var(--note);color:var(--noteink);border-radius:.5rem;padding:.6rem .9rem;margin:0 0 1rem;font-size:.9rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.5rem;overflow-wrap:anywhere}
h1{font-size:1rem;font-weight:500;color:var(--soft);margin:0}
.total{font-size:2.2rem;font-weight:650;margin:0 0 1rem;font-variant-numeric:tabular-nums}
table{width:100%;border-collapse:collapse;margin:0 0 1.5rem;font-size:.95rem}
caption{text-align:left;color:var(--soft);padding-bottom:.4rem}
th,td{text-align:left;vertical-align:top;font-weight:400;padding:.6rem 0;border-top:1px solid var(--line)}
td{text-align:right;padding-left:1rem;white-space:nowrap;font-variant-numeric:tabular-nums}
small{display:block;color:var(--soft)}
form{margin:0 0 .6rem}
button,.button{display:block;width:100%;min-height:3rem;padding:.7rem 1rem;border-radius:.5rem;
border:1px solid var(--key);background:var(--key);color:var(--keyink);font:inherit;font-weight:600;
text-align:center;text-decoration:none;cursor:pointer}
button.second{background:transparent;color:var(--ink);border-color:var(--line);font-weight:500}
button:focus-visible,a:focus-visible{outline:3px solid var(--key);outline-offset:3px}
`

/** Lets the content security policy admit this style only. */
export const styleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`

/** Escapes text for use between tags and in quoted attributes. */
export const escapeHtml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')

/** Formats an amount in the currency's smallest unit: 1050 usd is $10.50, 1050 jpy is ¥1,050. */
export const formatAmount = (amount: number, currency: string): string => {
  const format = new Intl.NumberFormat('en-US', { style: 'currency', currency })
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2))
}

/** The page of an open session: its line items, and the forms to pay or cancel. */
export const paymentPage = (session: SessionRow): string => {
  const total = formatAmount(session.amount_cents, session.currency)
  const rows = session.details.lineItems.map((item) => {
    const amount = formatAmount(item.unitAmountCents * item.quantity, session.currency)
    const more = item.description === null ? '' : `<small>${isolated(item.description)}</small>`
    const each = escapeHtml(formatAmount(item.unitAmountCents, session.currency))
    const quantity = item.quantity === 1 ? '' : `<small>Quantity ${item.quantity}, ${each} each</small>`
    return `<tr><th scope="row">${isolated(item.name)}${more}${quantity}</th><td>${escapeHtml(amount)}</td></tr>`
  })
  const description = session.details.payment.description
  const cancel =
    session.details.cancelUrl === null
      ? ''
      : '<form method="post"><button class="second" type="submit" name="action" value="cancel">Cancel and go back</button></form>'
  return page(
    `Pay ${total}`,
    `
<h1>Amount to pay</h1>
<p class="total">${escapeHtml(total)}</p>
${description === null ? '' : `<p>${isolated(description)}</p>`}
<table><caption>What you are paying for</caption><tbody>${rows.join('')}</tbody></table>
<form method="post"><button type="submit" name="action" value="pay">Pay ${escapeHtml(total)}</button></form>
${cancel}`
  )
}

/** A page with a message and an optional link. */
export const messagePage = (title: string, message: string, link?: { href: string; text: string }): string => {
  const onward =
    link === undefined ? '' : `<p><a class="button" href="${escapeHtml(link.href)}">${escapeHtml(link.text)}</a></p>`
  return page(title, `<h1 class="total">${escapeHtml(title)}</h1><p>${escapeHtml(message)}</p>${onward}`)
}

/** Escapes foreign text, and isolates its writing direction from the text around it. */
const isolated = (text: string): string => `<bdi>${escapeHtml(text)}</bdi>`

const page = (title: string, content: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)} – checkout simulator</title>
<style>${style}</style>
</head>
<body>
<main>
<p class="note" role="note"><strong>Simulator.</strong> No card is needed and no money moves.</p>
<div class="card">${content}
</div>
</main>
</body>
</html>
`
