export interface MessageCountsTable {
  /** The kind of message and the hash of the recipient. */
  recipient: string
  /** In UTC. */
  day: string
  count: number
}

declare module '../../database/types.ts' {
  interface Database {
    message_counts: MessageCountsTable
  }
}
