import type { Trx } from '../../plugins/database/types.ts'
import { findCycle } from './cycles.ts'
import { cyclicDependency, dependencyLimitReached, unknownDependency } from './errors.ts'
import { findBehind, findKnown, replaceDependencies } from './queries/dependencies.ts'

/** So many dependencies are looked through for a cycle. */
export const mostSearched = 20_000

const requireKnown = async (trx: Trx, partnerId: string, ids: readonly string[]): Promise<void> => {
  const known = await findKnown(trx, partnerId, ids)
  const unknown = [...new Set(ids.filter((id) => !known.has(id)))]
  if (unknown.length === 0) return
  const errors = ids.flatMap((id, index) =>
    known.has(id) ? [] : [{ path: `body/dependsOn/${index}`, message: 'is not a task of yours' }]
  )
  throw unknownDependency(
    `There ${unknown.length === 1 ? 'is no task' : 'are no tasks'} ${unknown.join(', ')} to depend on.`,
    { unknown, errors }
  )
}

/**
 * Sets what a task depends on. The caller holds the partner's lock of dependencies, so that what is checked here still holds at the commit.
 * @param dependsOn as the request has it; an id that comes again counts once.
 * @throws ProblemError 422 `unknown_dependency`, `cyclic_dependency` or `dependency_limit_reached`.
 */
export const setDependencies = async (
  trx: Trx,
  partnerId: string,
  taskId: string,
  dependsOn: readonly string[]
): Promise<void> => {
  await requireKnown(trx, partnerId, dependsOn)
  const ids = [...new Set(dependsOn)]
  const behind = await findBehind(trx, ids, taskId, mostSearched + 1)
  if (behind.length > mostSearched)
    throw dependencyLimitReached(`More than ${mostSearched} dependencies stand behind these tasks.`, {
      limit: mostSearched
    })
  const cycle = findCycle(taskId, ids, behind)
  if (cycle !== undefined)
    throw cyclicDependency(`The task would wait for itself: ${[...cycle, taskId].join(' → ')}.`, { cycle })
  await replaceDependencies(trx, partnerId, taskId, ids)
}
