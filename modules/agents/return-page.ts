import { createHash } from 'node:crypto'

const style = 'body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem;color:#1a1a2e}'
const styleHash = createHash('sha256').update(style).digest('base64')

const texts = {
  paid: [
    'Thank you',
    'Your payment is complete. The credits are in the wallet as soon as it is confirmed, usually within seconds.'
  ],
  cancelled: ['Nothing was paid', 'You left the payment page. The wallet is as it was.']
} as const

export const returnPageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
}

/** The page that Stripe redirects a buyer to. It contains nothing from the request. */
export const returnPage = (outcome: keyof typeof texts): string => {
  const [title, text] = texts[outcome]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title><style>${style}</style></head>
<body><main><h1>${title}</h1><p>${text}</p></main></body></html>
`
}
