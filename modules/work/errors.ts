import { notFound } from '../../plugins/http/errors/kinds.ts'
import { defineProblem } from '../../plugins/http/errors/problem.ts'
import type { FieldError } from '../../plugins/http/errors/validation.ts'

export const projectNotEmpty = defineProblem({
  status: 409,
  code: 'project_not_empty',
  meaning: 'The project still contains tasks. Nothing was deleted.',
  cure: 'List them with `GET /v1/tasks?projectId=…`. Delete them or move them to another project with PATCH, then retry.',
  describe: () => 'The project still has tasks. Delete or move them first.'
})
export const unknownDependency = defineProblem({
  status: 422,
  code: 'unknown_dependency',
  meaning:
    '`dependsOn` names at least one task that does not exist or belongs to another partner or environment. Nothing was changed.',
  cure: '`unknown` lists the ids and `errors` their positions. Correct or remove them, then retry.',
  describe: (unknown: string[], errors: FieldError[]) => ({
    detail: `dependsOn names ${unknown.length === 1 ? 'a task that does' : 'tasks that do'} not exist: ${unknown.join(', ')}.`,
    members: { unknown, errors }
  })
})
export const cyclicDependency = defineProblem({
  status: 422,
  code: 'cyclic_dependency',
  meaning:
    'With this `dependsOn` the task would depend on itself, directly or through other tasks. Nothing was changed.',
  cure: '`cycle` lists the tasks: each depends on the next, and the last on the first. Remove one of these dependencies, then retry.',
  describe: (cycle: string[]) => ({
    detail: `The dependencies form a cycle: ${[...cycle, cycle[0]].join(' → ')}.`,
    members: { cycle }
  })
})
export const dependencyLimitReached = defineProblem({
  status: 422,
  code: 'dependency_limit_reached',
  meaning: 'The tasks have too many indirect dependencies to rule out a cycle. Nothing was changed.',
  cure: 'Let each task depend only on its direct predecessors; indirect dependencies follow from them.',
  describe: (limit: number) => ({
    detail: `These tasks have more than ${limit} direct and indirect dependencies.`,
    members: { limit }
  })
})

export const projectNotFound = () => notFound('There is no such project.')
export const taskNotFound = () => notFound('There is no such task.')
