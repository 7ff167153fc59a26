import { defineProblem } from '../../plugins/http/errors/problem.ts'

export const projectNotEmpty = defineProblem({
  status: 409,
  code: 'project_not_empty',
  meaning: 'The project still has tasks, whatever their status; nothing was deleted.',
  cure: '`GET /v1/tasks?projectId=…` lists them. Delete them, or move them with PATCH and another `projectId`, and try again.'
})
export const unknownDependency = defineProblem({
  status: 422,
  code: 'unknown_dependency',
  meaning: '`dependsOn` names at least one task that does not exist or belongs to somebody else. Nothing was changed.',
  cure: '`unknown` lists the identifiers and `errors` their places. Correct or remove them, and send the request again.'
})
export const cyclicDependency = defineProblem({
  status: 422,
  code: 'cyclic_dependency',
  meaning: 'With this `dependsOn` the task would wait for itself, directly or through others. Nothing was changed.',
  cure: '`cycle` lists the tasks in a row: each depends on the next, and the last on the first. Break it at one of them, and try again.'
})
export const dependencyLimitReached = defineProblem({
  status: 422,
  code: 'dependency_limit_reached',
  meaning: 'Behind these dependencies stand too many others to prove that there is no cycle. Nothing was changed.',
  cure: 'Let tasks depend only on what they directly wait for: what those wait for follows by itself.'
})
