import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { ProblemError } from '../http/errors/problem.ts'
import type { Caller } from './caller.ts'
import { createCredentialFinder, type FindCredential } from './credential-finder.ts'
import { touchCredentials } from './queries.ts'

const touchIntervalMs = 30_000

/** Records credential uses in batches in the background, so that no request waits for the write. */
const noteUses = (app: FastifyInstance): { note: (credentialId: string) => void; flush: () => Promise<void> } => {
  const used = new Set<string>()
  const flush = async (): Promise<void> => {
    if (used.size === 0) return
    const ids = [...used]
    used.clear()
    await touchCredentials(app.database.db, ids, app.clock.now())
  }
  const timer = setInterval(() => {
    flush().catch((error: unknown) => app.log.warn({ err: error }, 'recording credential uses failed'))
  }, touchIntervalMs)
  timer.unref()
  app.addHook('preClose', async () => {
    clearInterval(timer)
    await flush().catch((error: unknown) => app.log.warn({ err: error }, 'recording credential uses failed'))
  })
  return { note: (credentialId) => used.add(credentialId), flush }
}

declare module 'fastify' {
  interface FastifyInstance {
    findCredential: FindCredential
    /** Records that a credential was used now. A background job writes it to the database. */
    noteCredentialUse(credentialId: string): void
    /** Writes the recorded uses, so that a handler can read when credentials were last used. */
    writeCredentialUses(): Promise<void>
  }
  interface FastifyRequest {
    /** The caller; null when the request has no credential. */
    caller: Caller | null
    /** The error of a rejected credential; null when the credential is valid or missing. */
    refusal: ProblemError | null
  }
}

export default fp(
  async (app) => {
    app.decorateRequest('caller', null)
    app.decorateRequest('refusal', null)
    app.decorate('findCredential', createCredentialFinder(app))
    const { note, flush } = noteUses(app)
    app.decorate('noteCredentialUse', note)
    app.decorate('writeCredentialUses', flush)
  },
  { name: 'access', dependencies: ['config', 'clock', 'database'] }
)
