import type { Db } from '../plugins/database/types.ts'

/** The statements sent during `work`, as the database receives them. Statements of other activity count as well if they match `isCounted`. */
export const statementsOf = async (
  db: Db,
  isCounted: (text: string) => boolean,
  work: () => Promise<unknown>
): Promise<string[]> => {
  const executor = db.getExecutor()
  const provide = executor.provideConnection.bind(executor)
  const statements: string[] = []
  executor.provideConnection = (consume) =>
    provide(async (connection) => {
      const execute = connection.executeQuery
      connection.executeQuery = (query) => {
        if (isCounted(query.sql)) statements.push(query.sql)
        return execute.call(connection, query) as ReturnType<typeof connection.executeQuery<never>>
      }
      try {
        return await consume(connection)
      } finally {
        connection.executeQuery = execute
      }
    })
  try {
    await work()
  } finally {
    executor.provideConnection = provide
  }
  return statements
}
