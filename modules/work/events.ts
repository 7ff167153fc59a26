import type { Trx } from '../../plugins/database/types.ts'
import type { Outbox } from '../../plugins/events/outbox.ts'
import type { TaskScope } from './queries/dependencies.ts'

export interface TaskEvent {
  type: 'task.created' | 'task.updated' | 'task.completed' | 'task.deleted'
  taskId: string
}

/** The number of events per statement: any number of tasks can depend on a deleted one. */
const batchSize = 1000

/** Publishes events of tasks of a partner's environment in the given order. */
export const publishTaskEvents = async (
  outbox: Outbox,
  trx: Trx,
  { partnerId, environment }: TaskScope,
  events: readonly TaskEvent[]
): Promise<void> => {
  for (let from = 0; from < events.length; from += batchSize) {
    const batch = events.slice(from, from + batchSize)
    await outbox.publish(
      trx,
      batch.map(({ type, taskId }) => ({ partnerId, environment, type, data: { task_id: taskId } }))
    )
  }
}
