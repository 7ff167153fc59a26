import type { Generated, GeneratedAlways } from 'kysely'

export type TaskPriority = 'LOW' | 'MEDIUM' | 'HIGH' | 'URGENT'
export type TaskStatus = 'TODO' | 'IN_PROGRESS' | 'DONE' | 'CANCELLED'

declare module '../../plugins/database/types.ts' {
  interface Database {
    projects: {
      id: string
      /** Increases with every project; lists are ordered by it. */
      position: GeneratedAlways<number>
      partner_id: string
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
      task_id: string
      /** The position in the list of the task, from 1. */
      ordinal: number
      depends_on_id: string
    }
  }
}
