import { parentPort } from 'node:worker_threads'
import { buildApp } from '../../app.ts'
import { loadConfig } from '../../plugins/config/index.ts'
import { rateLimits, } from '../../spec/generated/index.ts'
const lifted = Object.fromEntries(Object.keys(rateLimits).map((n) => [n, { limit: 100_000_000, windowSeconds: 1 }])) as any
const app = await buildApp({ config: loadConfig(process.env), rateLimits: lifted })
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
process.send?.('ready')
