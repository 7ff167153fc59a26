import { version } from '../version.ts'
import type { Config } from '../config/index.ts'

interface Greeting {
  config: Pick<Config, 'dataDir' | 'databaseUrl' | 'docsEnabled' | 'ingestSecret' | 'port' | 'publicUrl'> & {
    plaid: { mode: string }
    stripe: { mode: string }
  }
  /** The URL at which programs of this machine reach the server. */
  url: string
  demo: { testKey: string; furnisherKey: string; email: string; password: string; partnerId: string } | undefined
}

const loopbackHosts = ['127.0.0.1', '0.0.0.0', '::', '::1', 'localhost']

/** The URL of a listening server for programs of the same machine. */
export const localUrl = (host: string, port: number): string => {
  if (loopbackHosts.includes(host)) return `http://localhost:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

const serviceOf = ({ mode }: { mode: string }): string => (mode === 'sandbox' ? 'built-in simulator' : mode)

/** The quickstart of the server at `url`. Its defaults are the port 3000 and the key in `.atlas`. */
const quickstart = ({ config, url, demo }: Greeting): string => {
  const options = [
    url === 'http://localhost:3000' ? '' : ` --url ${url}`,
    config.dataDir === '.atlas' ? '' : ` --key ${demo?.testKey ?? '$ATLAS_KEY'}`
  ].join('')
  return `npm run quickstart${options === '' ? '' : ` --${options}`}`
}

/** What the console shows when the server is ready: the version, the URL, the demo credentials and the next steps. */
export const printGreeting = (greeting: Greeting): string => {
  const { config, url, demo } = greeting
  const rows = [
    ['Reference', config.docsEnabled ? `${url}/docs` : 'off (ATLAS_DOCS_ENABLED)'],
    ...(config.publicUrl === undefined ? [] : [['Public URL', config.publicUrl]]),
    ['Database', config.databaseUrl === undefined ? `embedded, in ${config.dataDir}` : 'PostgreSQL'],
    ['Plaid', serviceOf(config.plaid)],
    ['Stripe', serviceOf(config.stripe)],
    ...(demo === undefined
      ? []
      : [
          ['Test key', demo.testKey],
          ['Furnisher key', demo.furnisherKey],
          ['Sign-in', `${demo.email}  ${demo.password}`],
          ['Partner id', demo.partnerId]
        ]),
    ['Ingest secret', config.ingestSecret ?? 'none (ATLAS_INGEST_SECRET)']
  ]
  const table = rows.map(([name = '', value]) => `  ${name.padEnd(14)} ${value}`).join('\n')
  const key = demo?.testKey ?? '$ATLAS_KEY'
  return `
  AtlasForge ${version} listens on ${url}

${table}

  Try it:
    curl -H "Authorization: Bearer ${key}" "${url}/v1/accounts?user_id=usr_1"
    ${quickstart(greeting)}

  Ctrl-C stops the server.
`
}
