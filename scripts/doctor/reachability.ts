import { createServer } from 'node:net'
import type { Config } from '../../plugins/config/index.ts'
import { fail, ok, warn, wordsOf, type Finding } from './finding.ts'

const timeoutMs = 5_000

const isPortFree = (host: string, port: number): Promise<Error | undefined> =>
  new Promise((done) => {
    const server = createServer()
    server.once('error', done)
    server.listen({ host, port }, () => server.close(() => done(undefined)))
  })

export const checkPorts = async ({ host, port, metricsPort }: Config): Promise<Finding[]> => {
  const ports = [
    ['PORT', port],
    ['ATLAS_METRICS_PORT', metricsPort]
  ] as const
  const findings: Finding[] = []
  for (const [setting, number] of ports) {
    if (number === undefined) continue
    const error = await isPortFree(host, number)
    if (error === undefined) findings.push(ok('port', `${host}:${number} is free`))
    else if ('code' in error && error.code === 'EADDRINUSE')
      findings.push(
        warn('port', `something listens on ${host}:${number}`, `If it is not this server, choose another ${setting}.`)
      )
    else
      findings.push(
        fail('port', wordsOf(error), `Choose another HOST or ${setting}; ports below 1024 need privileges.`)
      )
  }
  return findings
}

const isLocal = (hostname: string): boolean => /^(localhost|127\.|\[::1\]|0\.0\.0\.0)|\.localhost$/.test(hostname)

const checkForm = (publicUrl: string, production: boolean): Finding[] => {
  const { protocol, hostname, pathname, search, hash, username } = new URL(publicUrl)
  const findings: Finding[] = []
  if (pathname !== '/' || search !== '' || hash !== '' || username !== '')
    findings.push(
      fail(
        'public URL',
        `${publicUrl} is more than scheme, host and port`,
        'Set ATLAS_PUBLIC_URL to such as https://api.example.com.'
      )
    )
  if (production && protocol === 'http:')
    findings.push(
      warn('public URL', 'is not encrypted', 'Serve the API by HTTPS: credentials travel with every request.')
    )
  if (production && isLocal(hostname))
    findings.push(
      warn('public URL', 'leads to this very machine', 'Set ATLAS_PUBLIC_URL to what clients, Plaid and Stripe use.')
    )
  return findings
}

const checkAnswer = async (publicUrl: string): Promise<Finding> => {
  try {
    const answer = await fetch(`${publicUrl}/api/v1/health/live`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs)
    })
    if (answer.status === 200) return ok('public URL', `${publicUrl} answers`)
    return warn(
      'public URL',
      `${publicUrl} answers ${answer.status}`,
      'Check what stands between: it should hand every path on, without a redirect.'
    )
  } catch (error) {
    const reason = error instanceof Error && error.cause !== undefined ? error.cause : error
    return warn(
      'public URL',
      `${publicUrl} does not answer (${wordsOf(reason)})`,
      'Before the first start that is well; later check DNS, the proxy and the firewall.'
    )
  }
}

export const checkPublicUrl = async ({ publicUrl, environment, plaid, stripe }: Config): Promise<Finding[]> => {
  const production = environment === 'production'
  if (publicUrl === undefined) {
    const lost =
      plaid.mode === 'sandbox' && stripe.mode === 'sandbox'
        ? 'links in errors are without a host'
        : 'Plaid is told no address for its webhooks, and links are without a host'
    return production
      ? [warn('public URL', lost, 'Set ATLAS_PUBLIC_URL to such as https://api.example.com.')]
      : [ok('public URL', 'not set, which is well on a desk')]
  }
  const faults = checkForm(publicUrl, production)
  return faults.some(({ state }) => state === 'fail') ? faults : [...faults, await checkAnswer(publicUrl)]
}

/** Whether the addresses of clients are likely to be those of clients: limits and address lists go by them. */
export const checkProxy = ({ environment, publicUrl, trustProxy }: Config): Finding[] => {
  if (environment !== 'production') return []
  const encrypted = publicUrl?.startsWith('https:') === true
  if (encrypted && !trustProxy) {
    return [
      warn(
        'proxy',
        'TLS ends before this server, and X-Forwarded-For is not believed',
        'Set ATLAS_TRUST_PROXY=true, or all clients count as one address: that of the proxy.'
      )
    ]
  }
  if (trustProxy)
    return [ok('proxy', 'one proxy is trusted; it must set X-Forwarded-For itself, and nobody may get around it')]
  return [ok('proxy', 'none is trusted')]
}
