import { isObject } from '../model.ts'
import { targetOf, type SampleCall } from './sample-call.ts'

const maxWidth = 100

/** The call with the Python package requests. */
export const pythonSample = (call: SampleCall): string => {
  const { method, body } = call
  const headers = headersOf(call)
  const given = [
    `os.environ["ATLAS_URL"] + ${pythonLiteral(targetOf(call))}`,
    ...(headers.length === 0 ? [] : [`headers=${wrap('{', headers, '}')}`]),
    ...(call.credential === 'refresh-cookie' ? ['cookies={"atlas_refresh": os.environ["ATLAS_REFRESH_TOKEN"]}'] : []),
    ...(method.body === undefined || body === undefined
      ? []
      : [`${method.body.mediaType.endsWith('json') ? 'json' : 'data'}=${pythonLiteral(body)}`]),
    'timeout=30'
  ]
  return [
    'import os',
    ...(method.idempotent ? ['import uuid'] : []),
    '',
    'import requests',
    '',
    `response = requests.${method.verb.toLowerCase()}(`,
    `${given.join(',\n').replace(/^/gm, '    ')},`,
    ')',
    'response.raise_for_status()',
    ...(method.accept === undefined
      ? []
      : [`print(response.${method.accept === 'application/json' ? 'json()' : 'text'})`])
  ].join('\n')
}

const headersOf = ({ method, credential, ifMatch }: SampleCall): string[] => [
  ...(credential === 'bearer' ? ['"Authorization": "Bearer " + os.environ["ATLAS_API_KEY"]'] : []),
  ...(credential === 'ingest-secret' ? ['"X-Atlas-Ingest-Secret": os.environ["ATLAS_INGEST_SECRET"]'] : []),
  ...(method.idempotent ? ['"Idempotency-Key": str(uuid.uuid4())'] : []),
  ...(ifMatch === undefined ? [] : [`"If-Match": ${pythonLiteral(ifMatch)}`])
]

/** A value as Python source. JSON strings are valid Python strings. */
const pythonLiteral = (value: unknown): string => {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (Array.isArray(value)) return wrap('[', value.map(pythonLiteral), ']')
  if (isObject(value))
    return wrap(
      '{',
      Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${pythonLiteral(item)}`),
      '}'
    )
  return JSON.stringify(value)
}

/** Joins items between brackets: on one line if they fit, otherwise one per line. */
const wrap = (open: string, items: readonly string[], close: string): string => {
  const line = `${open}${items.join(', ')}${close}`
  if (line.length <= maxWidth && !line.includes('\n')) return line
  return `${open}\n${items.map((item) => `${item},`.replace(/^/gm, '    ')).join('\n')}\n${close}`
}
