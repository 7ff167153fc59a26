import type { Selectable } from 'kysely'
import type { Database } from './types.ts'

type SnakeCase<Name, Done extends string = ''> = Name extends `${infer Letter}${infer Rest}`
  ? SnakeCase<Rest, `${Done}${Letter extends Lowercase<Letter> ? Letter : `_${Lowercase<Letter>}`}`>
  : Done

type CamelCase<Name> = Name extends `${infer Word}_${infer Rest}` ? `${Word}${Capitalize<CamelCase<Rest>>}` : Name

/** A table's row with camelCase names: `agent_id` becomes `agentId`. */
export type FieldsOf<Table extends keyof Database> = {
  [Column in keyof Selectable<Database[Table]> as CamelCase<Column>]: Selectable<Database[Table]>[Column]
}

type Row<Fields> = { [Name in keyof Fields as SnakeCase<Name>]: Fields[Name] }

const columnOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Names fields as their columns, to insert or update a row: `agentId` becomes `agent_id`. */
export const toRow = <Fields extends object>(fields: Fields): Row<Fields> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [columnOf(name), value as unknown])) as Row<Fields>
