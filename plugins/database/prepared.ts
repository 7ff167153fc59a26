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
import type { CommitStatement } from './engine.ts'
import type { Database, Db, Trx } from './types.ts'

/** The placeholder of a parameter. */
class Place {
  constructor(readonly name: string) {}
}

/** A query builder without a connection. It compiles for both databases, which have the same dialect. */
const compiler = new Kysely<Database>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler()
  }
})

type Places<Params> = <Name extends keyof Params & string>(name: Name) => RawBuilder<Params[Name]>

/** A Kysely query or a piece of SQL. */
interface Compilable<Row> {
  compile(db: Db): CompiledQuery<Row>
}

/** A statement that is compiled once. */
export interface PreparedStatement<Params, Row> {
  /** Runs the statement with these values. @returns its rows. */
  (db: Db, params: Params): Promise<Row[]>
  /**
   * Pipelines the statement with the commit, for a change whose result the transaction does not need. When it fails, the commit fails with its error.
   */
  withCommit(trx: Trx, params: Params): Promise<void>
}

/**
 * Prepares a statement of the hot path, where compiling it for each request would take longer than running it.
 *
 *     const findUser = prepared<{ id: string }>()((db, place) => db.selectFrom('users').selectAll().where('id', '=', place('id')))
 *     const [user] = await findUser(db, { id })
 */
export const prepared =
  <Params>() =>
  <Row>(build: (db: Db, place: Places<Params>) => Compilable<Row>): PreparedStatement<Params, Row> => {
    let compiled: CompiledQuery<Row> | undefined
    const fill = (params: Params): CompiledQuery<Row> => {
      compiled ??= build(compiler, (name) => sql`${new Place(name)}`).compile(compiler)
      const parameters = compiled.parameters.map((parameter) =>
        parameter instanceof Place ? params[parameter.name as keyof Params] : parameter
      )
      return { ...compiled, parameters }
    }
    const send = async (db: Db, params: Params): Promise<Row[]> => (await db.executeQuery(fill(params))).rows
    return Object.assign(send, {
      async withCommit(trx: Trx, params: Params) {
        const statement: CommitStatement = { ...fill(params), sharesCommit: true }
        await trx.executeQuery(statement)
      }
    })
  }
