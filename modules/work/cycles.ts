/** That one task waits for another. */
export interface Dependency {
  taskId: string
  dependsOnId: string
}

/**
 * The shortest cycle that there would be if the task depended on `dependsOn`; undefined when there would be none.
 * @param known the dependencies that can be reached from `dependsOn`, without the task's own.
 * @returns the tasks of the cycle in a row, beginning with the task: each depends on the next, and the last on the first.
 */
export const findCycle = (
  taskId: string,
  dependsOn: readonly string[],
  known: readonly Dependency[]
): string[] | undefined => {
  const further = new Map<string, string[]>()
  for (const dependency of known)
    further.set(dependency.taskId, [...(further.get(dependency.taskId) ?? []), dependency.dependsOnId])
  /** Through which task each one was reached first. */
  const reachedFrom = new Map(dependsOn.map((id) => [id, taskId]))
  // A map is walked in the order in which its keys came, those that come during the walk included: nearest first.
  for (const id of reachedFrom.keys()) {
    if (id === taskId) break
    for (const next of further.get(id) ?? []) if (!reachedFrom.has(next)) reachedFrom.set(next, id)
  }
  let at = reachedFrom.get(taskId)
  if (at === undefined) return undefined
  const way: string[] = []
  for (; at !== undefined && at !== taskId; at = reachedFrom.get(at)) way.unshift(at)
  return [taskId, ...way]
}
