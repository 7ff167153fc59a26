import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  type CompiledQuery,
  type RawBuilder
} from 'kysely'
import type { Database, Db } from './types.ts'

/** Where a parameter's value goes each time. */
class Place {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** Compiles for every database there is, since all of them speak PostgreSQL, and is connected to none. */
const compiler = new Kysely<Database>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler()
  }
})

type Places<Params> = <Name extends keyof Params & string>(name: Name) => RawBuilder<Params[Name]>

const goingWithCommit = new WeakSet<object>()
const wholeTransactions = new WeakSet<object>()

/** Whether a statement is one of a transaction's last words; see `prepared`. */
export const goesWithCommit = ({ queryId }: CompiledQuery): boolean => goingWithCommit.has(queryId)

/** Whether a statement is all that its transaction says; see `prepared`. */
export const isWholeTransaction = ({ queryId }: CompiledQuery): boolean => wholeTransactions.has(queryId)

/** A query of Kysely's or a piece of SQL. */
interface Compilable<Row> {
  compile(db: Db): CompiledQuery<Row>
}

/**
 * A statement of the hot path: built and compiled once, since doing that for each request costs more than sending it.
 *
 *     const findUser = prepared<{ id: string }>()((db, place) => db.selectFrom('users').selectAll().where('id', '=', place('id')))
 *     const [user] = await findUser(db, { id })
 *
 * @param options.withCommit says that nothing in its transaction looks at what it does: it goes out together with the commit, which so costs no
 *   round trip of its own. It answers no rows then, and when it fails, the commit does.
 * @param options.wholeTransaction says that it is all that its transaction says, which so needs neither begin nor commit: it is done when it is answered, whatever
 *   becomes of the work around it, and holds its locks for no round trip more. Unlike a statement without a transaction it waits for them on a connection of its own.
 * @returns a function that sends the statement with values in its places, and answers the rows.
 */
export const prepared =
  <Params>() =>
  <Row>(
    build: (db: Db, place: Places<Params>) => Compilable<Row>,
    { withCommit = false, wholeTransaction = false } = {}
  ) => {
    let compiled: CompiledQuery<Row> | undefined
    return async (db: Db, params: Params): Promise<Row[]> => {
      if (compiled === undefined) {
        compiled = build(compiler, (name) => sql`${new Place(name)}`).compile(compiler)
        if (withCommit) goingWithCommit.add(compiled.queryId)
        if (wholeTransaction) wholeTransactions.add(compiled.queryId)
      }
      const parameters = compiled.parameters.map((parameter) =>
        parameter instanceof Place ? params[parameter.name as keyof Params] : parameter
      )
      return (await db.executeQuery<Row>({ ...compiled, parameters })).rows
    }
  }
