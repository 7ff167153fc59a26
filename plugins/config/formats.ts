import { parseRateOverrides } from './rate-overrides.ts'

interface Format {
  /** What a valid value is; completes the sentence "Set it to …". */
  expects: string
  isValid: (text: string) => boolean
}

const encryptionKeyBytes = 32

const hasProtocol = (...protocols: string[]) => {
  return (text: string): boolean => URL.canParse(text) && protocols.includes(new URL(text).protocol)
}

const isHttpUrl = hasProtocol('http:', 'https:')

const isBaseUrl = (text: string): boolean => {
  if (!isHttpUrl(text)) return false
  const { search, hash, username, password } = new URL(text)
  return `${search}${hash}${username}${password}` === ''
}

const isEncryptionKey = (text: string): boolean => Buffer.from(text, 'base64').length === encryptionKeyBytes

/** An origin exactly as browsers send it: a scheme, a host, and a port unless it is the scheme's own. */
const isOrigin = (text: string): boolean => isHttpUrl(text) && new URL(text).origin === text && !text.includes('*')

/** The formats of settings, by the name that `format` gives them in the schema. */
export const formats: Record<string, Format> = {
  'http-url': { expects: 'a URL that begins with http:// or https://', isValid: isHttpUrl },
  'base-url': {
    expects: 'a URL that begins with http:// or https://, without a query, a fragment or a password',
    isValid: isBaseUrl
  },
  'postgres-url': {
    expects: 'a PostgreSQL URL, such as postgres://user:password@host:5432/atlasforge',
    isValid: hasProtocol('postgres:', 'postgresql:')
  },
  'redis-url': { expects: 'a URL that begins with redis:// or rediss://', isValid: hasProtocol('redis:', 'rediss:') },
  'smtp-url': {
    expects: 'a mail server, such as smtps://user:password@smtp.example.com:465',
    isValid: hasProtocol('smtp:', 'smtps:')
  },
  'encryption-key': {
    expects: '32 random bytes in base64, such as the output of `openssl rand -base64 32`',
    isValid: isEncryptionKey
  },
  'encryption-keys': {
    expects: 'keys of 32 bytes in base64, separated by commas',
    isValid: (text) => text.split(',').every(isEncryptionKey)
  },
  origins: {
    expects: 'origins separated by commas, such as https://app.example.com,https://admin.example.com:8443',
    isValid: (text) => text.split(',').every((origin) => isOrigin(origin.trim()))
  },
  'rate-overrides': {
    expects: 'JSON such as `{"PARTNER_ID": {"standard": 120}}`',
    isValid: (text) => parseRateOverrides(text) !== undefined
  }
}
