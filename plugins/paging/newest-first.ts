import { sql, type SelectQueryBuilder } from 'kysely'
import type { TimePosition } from './pages.ts'

/**
 * Sorts a query by creation time and then by id, newest first, and keeps up to `limit` rows after a position: `query.$call(newestFirst(after, limit))`.
 * @param id the column that tells rows of the same time apart
 */
export const newestFirst =
  (after: TimePosition | undefined, limit: number, id = 'id') =>
  <Tables, Table extends keyof Tables, Row>(
    query: SelectQueryBuilder<Tables, Table, Row>
  ): SelectQueryBuilder<Tables, Table, Row> =>
    query
      .$if(after !== undefined, (later) =>
        later.where(sql<boolean>`(created_at, ${sql.ref(id)}) < (${after?.at}::timestamptz, ${after?.id}::text)`)
      )
      .orderBy(sql`created_at`, 'desc')
      .orderBy(sql.ref(id), 'desc')
      .limit(limit)
