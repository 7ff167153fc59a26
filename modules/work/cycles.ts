/** One task depends on another. */
export interface Dependency {
  taskId: string
  dependsOnId: string
}

/**
 * Finds the shortest cycle that would exist if the task depended on `dependsOn`; undefined when there is none.
 * @param transitive the dependencies that can be reached from `dependsOn`, without the task's own.
 * @returns the tasks of the cycle, starting with the task: each depends on the next, and the last on the first.
 */
export const findCycle = (
  taskId: string,
  dependsOn: readonly string[],
  transitive: readonly Dependency[]
): string[] | undefined => {
  const edges = new Map<string, string[]>()
  for (const { taskId: from, dependsOnId } of transitive) edges.set(from, [...(edges.get(from) ?? []), dependsOnId])
  const reachedFrom = new Map(dependsOn.map((id) => [id, taskId]))
  // Breadth-first: a map iterates in insertion order and includes keys that are added during the iteration.
  for (const id of reachedFrom.keys()) {
    if (id === taskId) break
    for (const next of edges.get(id) ?? []) if (!reachedFrom.has(next)) reachedFrom.set(next, id)
  }
  let at = reachedFrom.get(taskId)
  if (at === undefined) return undefined
  const path: string[] = []
  for (; at !== undefined && at !== taskId; at = reachedFrom.get(at)) path.unshift(at)
  return [taskId, ...path]
}
