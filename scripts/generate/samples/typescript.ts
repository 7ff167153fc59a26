import { literal, quote } from '../print.ts'
import type { SampleCall } from './sample-call.ts'

const tokenSources: Record<SampleCall['credential'], string> = {
  bearer: "() => process.env['ATLAS_API_KEY'] ?? null",
  'ingest-secret': "() => process.env['ATLAS_INGEST_SECRET'] ?? null",
  'refresh-cookie': '',
  none: ''
}

/** The call with this project's TypeScript client. */
export const typescriptSample = (call: SampleCall): string => {
  const { method, credential } = call
  const token = tokenSources[credential]
  const options = [
    "baseUrl: process.env['ATLAS_URL'] ?? 'http://localhost:3000'",
    ...(token === '' ? [] : [`getAccessToken: ${token}`]),
    // Browsers send cookies to another origin only on request.
    ...(credential === 'refresh-cookie' ? ["credentials: 'include'"] : [])
  ]
  const invocation = `await atlas.${method.resource}.${method.name}(${argumentsOf(call).join(', ')})`
  return [
    "import { createAtlasClient } from 'atlasforge/client'",
    '',
    'const atlas = createAtlasClient({',
    options.map((option) => `  ${option}`).join(',\n'),
    '})',
    '',
    method.accept === undefined ? invocation : `const result = ${invocation}\nconsole.log(result)`
  ].join('\n')
}

const argumentsOf = ({ method, pathValues, query, body, ifMatch }: SampleCall): string[] => {
  const path = pathValues.map(quote)
  const options = ifMatch === undefined ? [] : [`{ ifMatch: ${quote(ifMatch)} }`]
  if (method.body !== undefined) return [...path, body === undefined ? 'undefined' : literal(body), ...options]
  if (Object.keys(query).length > 0) return [...path, literal(query), ...options]
  return [...path, ...(method.queryParameters.length > 0 && options.length > 0 ? ['undefined'] : []), ...options]
}
