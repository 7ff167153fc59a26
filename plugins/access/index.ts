import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { ProblemError } from '../http/errors/problem.ts'
import type { Caller } from './caller.ts'
import { createCredentialFinder, type FindCredential } from './credential-finder.ts'
import { touchCredentials } from './queries.ts'

const touchIntervalMs = 30_000

/** Notes credential uses together in the background, so that no request waits for this write. */
const noteUses = (app: FastifyInstance): { note: (credentialId: string) => void; flush: () => Promise<void> } => {
  const used = new Set<string>()
  const flush = async (): Promise<void> => {
    if (used.size === 0) return
    const ids = [...used]
    used.clear()
    await touchCredentials(app.database.db, ids, app.clock.now())
  }
  const timer = setInterval(() => {
    flush().catch((error: unknown) => app.log.warn({ err: error }, 'the last use of credentials could not be noted'))
  }, touchIntervalMs)
  timer.unref()
  app.addHook('preClose', async () => {
    clearInterval(timer)
    await flush().catch((error: unknown) =>
      app.log.warn({ err: error }, 'the last use of credentials could not be noted')
    )
  })
  return { note: (credentialId) => used.add(credentialId), flush }
}

declare module 'fastify' {
  interface FastifyInstance {
    findCredential: FindCredential
    /** Notes that a credential was used just now; written to the database in the background. */
    noteCredentialUse(credentialId: string): void
    /** Writes the noted uses now, before a handler reads when credentials were last used. */
    writeCredentialUses(): Promise<void>
  }
  interface FastifyRequest {
    /** Who calls; null when the request has no credential. */
    caller: Caller | null
    /** Why the request's credential was refused; null when it was not. */
    refusal: ProblemError | null
  }
}

export default fp(
  (app, _options, done) => {
    app.decorateRequest('caller', null)
    app.decorateRequest('refusal', null)
    app.decorate('findCredential', createCredentialFinder(app))
    const { note, flush } = noteUses(app)
    app.decorate('noteCredentialUse', note)
    app.decorate('writeCredentialUses', flush)
    done()
  },
  { name: 'access', dependencies: ['config', 'clock', 'database'] }
)
