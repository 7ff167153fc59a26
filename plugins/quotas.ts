import { sql, type Expression } from 'kysely'
import type { Db, Trx } from './database/types.ts'
import { defineProblem } from './http/errors/problem.ts'

/** The most that is stored of each resource. Webhook endpoints have an error of their own, `webhook_limit_reached`. */
export const quotas = {
  api_keys: { limit: 100, of: 'This partner has', what: 'API keys', cure: 'Revoke one that is no longer used.' },
  tokens: { limit: 500, of: 'This partner has', what: 'tokens', cure: 'Revoke one that is no longer used.' },
  webhooks: { limit: 50, of: 'This partner has', what: 'endpoints', cure: 'Delete one that is no longer needed.' },
  items: { limit: 50, of: 'This end-user has', what: 'items', cure: 'Remove one that is no longer needed.' },
  test_end_users: { limit: 10_000, of: 'This partner has', what: 'test end-users', cure: 'Remove the items of one.' },
  test_calculations: {
    limit: 10_000,
    of: 'This partner has',
    what: 'test calculations',
    cure: 'Use a known end-user.'
  },
  recipients: {
    limit: 10_000,
    of: 'This partner has',
    what: 'recipients',
    cure: 'Delete one that is no longer needed.'
  },
  agents: { limit: 1_000, of: 'This user has', what: 'agents', cure: 'Revoke one that is no longer used.' },
  projects: { limit: 1_000, of: 'This partner has', what: 'projects', cure: 'Delete one that is no longer needed.' },
  tasks: { limit: 10_000, of: 'This project has', what: 'tasks', cure: 'Delete some, or use another project.' }
} as const

export type Quota = keyof typeof quotas

const limitReached = defineProblem({
  status: 422,
  code: 'limit_reached',
  meaning:
    'The partner, the user or the end-user has the most of a resource that this server stores. Nothing was added.',
  cure: '`resource` names the resource and `limit` is the maximum. Delete or revoke one that is no longer needed, then retry.',
  describe: (resource: Quota) => {
    const { limit, of, what, cure } = quotas[resource]
    return { detail: `${of} ${limit} ${what}, the maximum. ${cure}`, members: { limit, resource } }
  }
})

/** A query that selects what an owner has. */
interface Owned {
  limit(most: number): Expression<unknown>
}

const countOwned = async (db: Db, owned: Owned, most: number): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from ${owned.limit(most)} as owned`.execute(db)
  return rows[0]?.count ?? 0
}

/**
 * Requires that an owner has room for one more of a resource, before work that is in vain without it. `requireQuota` still decides.
 * @throws ProblemError 422 `limit_reached`
 */
export const requireRoom = async (db: Db, resource: Quota, owned: Owned): Promise<void> => {
  const { limit } = quotas[resource]
  if ((await countOwned(db, owned, limit)) >= limit) throw limitReached(resource)
}

/**
 * Requires that an owner has no more of a resource than its quota. Call it after adding one: the error rolls the addition back. Other transactions
 * that add one for the same owner wait until this one ends, so that they count it.
 * @throws ProblemError 422 `limit_reached`
 */
export const requireQuota = async (trx: Trx, resource: Quota, ownerId: string, owned: Owned): Promise<void> => {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${resource} of ${ownerId}`}, 0))`.execute(trx)
  const { limit } = quotas[resource]
  if ((await countOwned(trx, owned, limit + 1)) > limit) throw limitReached(resource)
}
