import type { Config } from '../../plugins/config/index.ts'
import { wordsOf } from '../../plugins/startup/error.ts'
import { tryPort } from '../../plugins/startup/ports.ts'
import { fail, ok, warn, type Finding } from './finding.ts'

const timeoutMs = 5_000
const setPublicUrl = 'Set ATLAS_PUBLIC_URL to a URL such as https://api.example.com.'

export const checkPorts = async ({ host, port, metricsPort }: Config): Promise<Finding[]> => {
  const findings: Finding[] = []
  for (const [setting, number] of Object.entries({ PORT: port, ATLAS_METRICS_PORT: metricsPort })) {
    if (number === undefined) continue
    const error = await tryPort(host, number)
    if (error === undefined) findings.push(ok('port', `${host}:${number} is free`))
    else if (error.code === 'EADDRINUSE')
      findings.push(
        warn('port', `${host}:${number} is in use`, `If this server does not use it, choose another ${setting}.`)
      )
    else
      findings.push(
        fail('port', wordsOf(error), `Choose another HOST or ${setting}. Ports below 1024 require privileges.`)
      )
  }
  return findings
}

const isLocal = (hostname: string): boolean => /^(localhost|127\.|\[::1\]|0\.0\.0\.0)|\.localhost$/.test(hostname)

const checkForm = (publicUrl: string, production: boolean): Finding[] => {
  const { protocol, hostname, pathname, search, hash, username } = new URL(publicUrl)
  return [
    `${pathname}${search}${hash}${username}` !== '/' &&
      fail('public URL', `${publicUrl} has more than scheme, host and port`, setPublicUrl),
    production &&
      protocol === 'http:' &&
      warn('public URL', 'is not encrypted', 'Serve the API over HTTPS, because every request contains a credential.'),
    production &&
      isLocal(hostname) &&
      warn('public URL', 'is a loopback address', 'Set ATLAS_PUBLIC_URL to the URL that clients, Plaid and Stripe use.')
  ].filter((finding) => finding !== false)
}

const checkAnswer = async (publicUrl: string): Promise<Finding> => {
  try {
    const answer = await fetch(`${publicUrl}/api/v1/health/live`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs)
    })
    if (answer.status === 200) return ok('public URL', `${publicUrl} responds`)
    return warn(
      'public URL',
      `${publicUrl} responds with ${answer.status}`,
      'Check that the proxy forwards every path without a redirect.'
    )
  } catch (error) {
    const reason = error instanceof Error && error.cause !== undefined ? error.cause : error
    return warn(
      'public URL',
      `${publicUrl} does not respond (${wordsOf(reason)})`,
      'If the server is running, check DNS, the proxy and the firewall.'
    )
  }
}

export const checkPublicUrl = async ({ publicUrl, environment, plaid, stripe }: Config): Promise<Finding[]> => {
  const production = environment === 'production'
  if (publicUrl === undefined) {
    const lost =
      plaid.mode === 'sandbox' && stripe.mode === 'sandbox'
        ? 'not set: links in errors have no host'
        : 'not set: Plaid cannot send webhooks, and links have no host'
    return production
      ? [warn('public URL', lost, setPublicUrl)]
      : [ok('public URL', 'not set, which is fine for development')]
  }
  const faults = checkForm(publicUrl, production)
  return faults.some(({ state }) => state === 'fail') ? faults : [...faults, await checkAnswer(publicUrl)]
}

/** Checks that the server sees the addresses of clients, which rate limits and address lists use. */
export const checkProxy = ({ environment, publicUrl, trustProxy }: Config): Finding[] => {
  if (environment !== 'production') return []
  if (trustProxy)
    return [ok('proxy', 'one proxy is trusted; it must set X-Forwarded-For, and clients must not be able to bypass it')]
  if (publicUrl?.startsWith('https:') !== true) return [ok('proxy', 'no proxy is trusted')]
  return [
    warn(
      'proxy',
      'a proxy terminates TLS, but X-Forwarded-For is ignored',
      'Set ATLAS_TRUST_PROXY=true. Otherwise all clients share the address of the proxy.'
    )
  ]
}
