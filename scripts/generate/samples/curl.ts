import type { SampleCall } from './sample-call.ts'
import { encode, targetOf } from './sample-call.ts'

const CREDENTIALS: Record<SampleCall['credential'], string[]> = {
  bearer: ['-H "Authorization: Bearer $ATLAS_API_KEY"'],
  'ingest-secret': ['-H "X-Atlas-Ingest-Secret: $ATLAS_INGEST_SECRET"'],
  'refresh-cookie': ['--cookie "atlas_refresh=$ATLAS_REFRESH_TOKEN"'],
  none: []
}

/** The call for a POSIX shell; the server's address and the credential come from the environment. */
export function curlSample(call: SampleCall): string {
  const { verb, body, idempotent } = call.method
  const lines = [
    `curl ${verb === 'GET' ? '' : `-X ${verb} `}"$ATLAS_URL${targetOf(call)}"`,
    ...CREDENTIALS[call.credential],
    ...(idempotent ? ['-H "Idempotency-Key: $(uuidgen)"'] : []),
    ...(call.ifMatch === undefined ? [] : [`-H ${shellQuote(`If-Match: ${call.ifMatch}`)}`]),
    ...(body === undefined || call.body === undefined
      ? []
      : [
          `-H 'Content-Type: ${body.mediaType}'`,
          `-d ${shellQuote(body.mediaType.endsWith('json') ? JSON.stringify(call.body, null, 2) : formOf(call.body))}`
        ])
  ]
  return lines.join(' \\\n  ')
}

/** Single quotes keep everything but a single quote, which is written outside of them. */
function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function formOf(body: unknown): string {
  return Object.entries(body as Record<string, string | number | boolean>)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&')
}
