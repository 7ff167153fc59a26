import type { ColumnType, Generated, GeneratedAlways } from 'kysely'

export interface NotificationsTable {
  id: string
  /** Increases with every notification; the list is ordered by it. */
  position: GeneratedAlways<number>
  user_id: string
  type: string
  message: string
  /** The text message in fixed words; null when there is none. */
  sms_text: string | null
  data: ColumnType<Record<string, unknown>, string, never>
  created_at: Date
  sms_status: 'none' | 'pending' | 'sent' | 'failed'
  sms_attempts: Generated<number>
  sms_next_at: Date | null
}

declare module '../../database/types.ts' {
  interface Database {
    notifications: NotificationsTable
  }
}
