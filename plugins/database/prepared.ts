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
 * @returns a function that sends the statement with values in its places, and answers the rows.
 */
export const prepared =
  <Params>() =>
  <Row>(build: (db: Db, place: Places<Params>) => Compilable<Row>) => {
    let compiled: CompiledQuery<Row> | undefined
    return async (db: Db, params: Params): Promise<Row[]> => {
      compiled ??= build(compiler, (name) => sql`${new Place(name)}`).compile(compiler)
      const parameters = compiled.parameters.map((parameter) =>
        parameter instanceof Place ? params[parameter.name as keyof Params] : parameter
      )
      return (await db.executeQuery<Row>({ ...compiled, parameters })).rows
    }
  }
