import type { Trx } from '../../plugins/database/types.ts'
import { findCycle } from './cycles.ts'
import { cyclicDependency, dependencyLimitReached, unknownDependency } from './errors.ts'
import { findExisting, findTransitive, replaceDependencies, type TaskScope } from './queries/dependencies.ts'

/** The number of dependencies that the search for a cycle may visit. */
export const maxSearched = 20_000

const requireExisting = async (trx: Trx, scope: TaskScope, ids: readonly string[]): Promise<void> => {
  const existing = await findExisting(trx, scope, ids)
  const unknown = [...new Set(ids.filter((id) => !existing.has(id)))]
  if (unknown.length === 0) return
  const errors = ids.flatMap((id, index) =>
    existing.has(id) ? [] : [{ path: `body/dependsOn/${index}`, message: 'does not exist' }]
  )
  throw unknownDependency(unknown, errors)
}

/**
 * Sets the dependencies of a task. The caller holds the partner's dependency lock, so the checks still hold at commit.
 * @param dependsOn the ids as the caller sent them; duplicates count once.
 * @throws ProblemError 422 `unknown_dependency`, `cyclic_dependency` or `dependency_limit_reached`.
 */
export const setDependencies = async (
  trx: Trx,
  scope: TaskScope,
  taskId: string,
  dependsOn: readonly string[]
): Promise<void> => {
  await requireExisting(trx, scope, dependsOn)
  const ids = [...new Set(dependsOn)]
  const transitive = await findTransitive(trx, ids, taskId, maxSearched + 1)
  if (transitive.length > maxSearched) throw dependencyLimitReached(maxSearched)
  const cycle = findCycle(taskId, ids, transitive)
  if (cycle !== undefined) throw cyclicDependency(cycle)
  await replaceDependencies(trx, scope, taskId, ids)
}
