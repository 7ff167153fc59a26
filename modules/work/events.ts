import type { Trx } from '../../plugins/database/types.ts'
import type { Outbox } from '../../plugins/events/outbox.ts'

export interface TaskEvent {
  type: 'task.created' | 'task.updated' | 'task.completed' | 'task.deleted'
  taskId: string
}

/** A statement holds so many; any number of tasks can depend on one that is deleted. */
const mostInAStatement = 1000

/** Publishes events of a partner's tasks, in this order. */
export const publishTaskEvents = async (
  outbox: Outbox,
  trx: Trx,
  partnerId: string,
  events: readonly TaskEvent[]
): Promise<void> => {
  for (let from = 0; from < events.length; from += mostInAStatement) {
    const some = events.slice(from, from + mostInAStatement)
    await outbox.publish(
      trx,
      some.map(({ type, taskId }) => ({ partnerId, type, data: { task_id: taskId } }))
    )
  }
}
