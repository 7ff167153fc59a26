import { escapeHtml, page } from '../../plugins/http/pages.ts'
import { fromCents } from '../../plugins/money.ts'
import type { Agent } from './queries/agents.ts'
import type { TopUp } from './queries/topups.ts'

/** A wallet with its present balance, in hundredths of a credit. */
export interface Wallet {
  agent: Pick<Agent, 'agentId' | 'name'>
  balanceCents: number
}

/** Where the links of the page lead. */
interface Links {
  /** The path of this page; opened again, it shows the present state. */
  self?: string
  /** The start page of this server; undefined where it has none. */
  home: string | undefined
}

const dollars = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' })

const creditsOf = (amountCents: number): string => `${fromCents(amountCents).toLocaleString('en-US')} credits`

const refusals = {
  agent_revoked: 'The agent is revoked. The money is refunded.',
  amount_mismatch: 'Its amount or currency is not what was ordered. The money is refunded.'
}

/** The heading and the explanation of a payment, by its state. */
const textsOf = ({ status, refusal, reversedCents }: TopUp): [title: string, text: string] => {
  switch (status) {
    case 'paid':
      if (reversedCents > 0) return ['Paid, then taken back', 'A refund or a dispute has taken credits back.']
      return ['Thank you', 'Your payment is complete, and its credits are booked.']
    case 'refused':
      return ['Your payment was not booked', refusals[refusal ?? 'amount_mismatch']]
    case 'expired':
      return ['Nothing was paid', 'The payment page has expired. Create a new one to buy credits.']
    default:
      return [
        'Not confirmed yet',
        'If you have paid, the confirmation arrives within seconds. Otherwise nothing was paid.'
      ]
  }
}

type Row = [name: string, value: string]

const walletRows = (wallet: Wallet | undefined): Row[] =>
  wallet === undefined
    ? []
    : [
        [
          'Agent',
          wallet.agent.name === wallet.agent.agentId
            ? wallet.agent.name
            : `${wallet.agent.name} (${wallet.agent.agentId})`
        ],
        ['Balance', creditsOf(wallet.balanceCents)]
      ]

const link = (href: string, text: string): string => `<a href="${escapeHtml(href)}">${escapeHtml(text)}</a>`

const show = (title: string, text: string, rows: Row[], wallet: Wallet | undefined, { self, home }: Links): string => {
  const links = [
    ...(self === undefined ? [] : [link(self, 'Check again')]),
    ...(wallet === undefined
      ? []
      : [link(`/api/balance?agent_id=${encodeURIComponent(wallet.agent.agentId)}`, 'The wallet')]),
    ...(home === undefined ? [] : [link(home, 'Back to AtlasForge')])
  ]
  const list = rows.map(([name, value]) => `<dt>${name}</dt><dd><bdi>${escapeHtml(value)}</bdi></dd>`).join('\n')
  return page(
    title,
    `<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(text)}</p>
${list === '' ? '' : `<dl>\n${list}\n</dl>\n`}${links.length === 0 ? '' : `<p>${links.join(' · ')}</p>`}`
  )
}

/** The page that a buyer sees after paying: what the server knows of the payment. */
export const paymentPage = (topUp: TopUp, wallet: Wallet | undefined, home: string | undefined): string => {
  const [title, text] = textsOf(topUp)
  const rows: Row[] = [
    ['Amount', dollars.format(fromCents(topUp.amountCents))],
    ...(topUp.creditsCents > 0 ? [['Bought', creditsOf(topUp.creditsCents)] satisfies Row] : []),
    ...(topUp.reversedCents > 0 ? [['Taken back', creditsOf(topUp.reversedCents)] satisfies Row] : []),
    ...walletRows(wallet)
  ]
  const self =
    topUp.status === 'open' ? `/checkout/return?session_id=${encodeURIComponent(topUp.sessionId)}` : undefined
  return show(title, text, rows, wallet, { ...(self === undefined ? {} : { self }), home })
}

/** The page that a buyer sees after leaving the payment page without paying. */
export const cancelledPage = (wallet: Wallet | undefined, home: string | undefined): string =>
  show('Nothing was paid', 'You left the payment page. The wallet is as it was.', walletRows(wallet), wallet, { home })
