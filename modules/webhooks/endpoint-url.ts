import { isIP } from 'node:net'
import { isPublicAddress } from '../../plugins/outbound/addresses.ts'

const isLocalName = (host: string): boolean => /(^|\.)(localhost|local|internal)\.?$/.test(host)

/**
 * Why a URL cannot be a webhook endpoint; undefined when it can. Checks only the URL itself: every connection checks the address
 * that a name resolves to.
 * @param allowed `http`: unencrypted URLs; `private`: addresses that are not on the Internet.
 */
export const endpointUrlFault = (text: string, allowed: { http: boolean; private: boolean }): string | undefined => {
  if (!URL.canParse(text)) return 'must be a URL'
  const url = new URL(text)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowed.http))
    return `must begin with https://${allowed.http ? ' or http://' : ''}`
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or a password'
  if (url.hash !== '') return 'must not contain a fragment'
  if (allowed.private) return undefined
  // The URL parser has normalised every notation of an address.
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const isForbidden = isIP(host) === 0 ? isLocalName(host) : !isPublicAddress(host)
  return isForbidden ? 'must lead to a public address' : undefined
}
