import { createHmac } from 'node:crypto'

/** The `Stripe-Signature` header: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`, as Stripe's webhook documentation defines it. */
export const signatureHeader = (secret: string, body: string, unixTime: number): string => {
  const signature = createHmac('sha256', secret).update(`${unixTime}.${body}`).digest('hex')
  return `t=${unixTime},v1=${signature}`
}
