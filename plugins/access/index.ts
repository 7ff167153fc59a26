import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Caller } from './caller.ts'
import { createCredentialFinder, type CredentialFinder } from './credential-finder.ts'
import { touchCredentials } from './queries.ts'

const touchIntervalMs = 30_000

/** Collects the credentials in use and notes them together, so that no request waits for a write that only tells when a key was last used. */
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
  interface FastifyInstance extends CredentialFinder {
    /** Notes that a credential was used just now; written to the database in the background. */
    noteCredentialUse(credentialId: string): void
    /** Writes what was noted and not yet written, for whoever is about to read when credentials were last used. */
    writeCredentialUses(): Promise<void>
  }
  interface FastifyRequest {
    /** Who calls; null for the anonymous. */
    caller: Caller | null
  }
}

export default fp(
  (app, _options, done) => {
    app.decorateRequest('caller', null)
    const { findCredential, findRecentCredential } = createCredentialFinder(app)
    app.decorate('findCredential', findCredential)
    app.decorate('findRecentCredential', findRecentCredential)
    const { note, flush } = noteUses(app)
    app.decorate('noteCredentialUse', note)
    app.decorate('writeCredentialUses', flush)
    done()
  },
  { name: 'auth', dependencies: ['config', 'clock', 'database'] }
)
