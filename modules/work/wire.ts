import type * as wire from '../../spec/generated/work.ts'
import type { Project } from './queries/projects.ts'
import type { Task } from './queries/tasks.ts'

export const toProject = ({
  id,
  environment,
  name,
  description,
  version,
  createdAt,
  updatedAt
}: Project): wire.Project => ({
  id,
  environment,
  name,
  description,
  version,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString()
})

export const toTask = ({ position: _position, dueOn, createdAt, updatedAt, ...task }: Task): wire.Task => ({
  ...task,
  dueOn: dueOn?.toISOString() ?? null,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString()
})
