import { isIP } from 'node:net'
import { isPublicAddress } from '../../plugins/outbound/addresses.ts'

const isLocalName = (host: string): boolean => /(^|\.)(localhost|local|internal)\.?$/.test(host)

/**
 * Why an URL cannot be an endpoint; undefined when it can. Only what the URL itself shows: where a name leads is checked at every connection.
 * @param rules `http` allows unencrypted URLs, `private` allows addresses that are not on the Internet.
 */
export const whyNotATarget = (text: string, rules: { http: boolean; private: boolean }): string | undefined => {
  if (!URL.canParse(text)) return 'must be an URL'
  const url = new URL(text)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && rules.http))
    return `must begin with https://${rules.http ? ' or http://' : ''}`
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or a password'
  if (url.hash !== '') return 'must not contain a fragment'
  if (rules.private) return undefined
  // The parser has brought every way to write an address into one form.
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const forbidden = isIP(host) === 0 ? isLocalName(host) : !isPublicAddress(host)
  return forbidden ? 'must lead to a public address' : undefined
}
