import type { Generated, GeneratedAlways } from 'kysely'
import type { Environment } from '../../plugins/access/caller.ts'

export type TaskPriority = 'LOW' | 'MEDIUM' | 'HIGH' | 'URGENT'
export type TaskStatus = 'TODO' | 'IN_PROGRESS' | 'DONE' | 'CANCELLED'

declare module '../../plugins/database/types.ts' {
  interface Database {
    projects: {
      id: string
      /** Increases with every project; lists are ordered by it. */
      position: GeneratedAlways<number>
      partner_id: string
      environment: Environment
      name: string
      description: string | null
      version: Generated<number>
      created_at: Date
      updated_at: Date
    }
    tasks: {
      id: string
      /** Increases with every task; lists are ordered by it. */
      position: GeneratedAlways<number>
      partner_id: string
      /** That of its project. */
      environment: Environment
      project_id: string
      title: string
      description: string | null
      priority: TaskPriority
      due_on: Date | null
      status: TaskStatus
      version: Generated<number>
      created_at: Date
      updated_at: Date
    }
    task_dependencies: {
      partner_id: string
      environment: Environment
      task_id: string
      /** The position in the list of the task, from 1. */
      ordinal: number
      depends_on_id: string
    }
  }
}
