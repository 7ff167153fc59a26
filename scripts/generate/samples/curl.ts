import { encode, targetOf, type SampleCall } from './sample-call.ts'

const credentialFlags: Record<SampleCall['credential'], string[]> = {
  bearer: ['-H "Authorization: Bearer $ATLAS_API_KEY"'],
  'ingest-secret': ['-H "X-Atlas-Ingest-Secret: $ATLAS_INGEST_SECRET"'],
  'refresh-cookie': ['--cookie "atlas_refresh=$ATLAS_REFRESH_TOKEN"'],
  none: []
}

/** The call with curl in a POSIX shell. URL and credential come from environment variables. */
export const curlSample = (call: SampleCall): string => {
  const { verb, body, idempotent } = call.method
  const lines = [
    `curl ${verb === 'GET' ? '' : `-X ${verb} `}"$ATLAS_URL${targetOf(call)}"`,
    ...credentialFlags[call.credential],
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

/** Quotes text for a POSIX shell. A single quote cannot be inside single quotes, so it goes between them. */
const shellQuote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

const formOf = (body: unknown): string =>
  Object.entries(body as Record<string, string | number | boolean>)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&')
