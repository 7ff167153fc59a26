import { createHash } from 'node:crypto'
import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { toMinorUnits } from '../../plugins/money.ts'
import { isDate as hasDateForm, readMoment } from '../../plugins/time-range.ts'

/**
 * The records of Plaid that this server stores. Banks' data sometimes breaks Plaid's own contract, so each record is checked
 * before use, and only for what is stored of it.
 */

/** A record that cannot be stored. */
export interface OddRecord {
  kind: 'account' | 'transaction' | 'removal'
  /** Plaid's id of the record, or a hash of it when it has none. */
  key: string
  fault: string
  record: unknown
}

const longestId = 200
const longestText = 5_000
/** In minor units of any currency; far below the largest exact integer, so that sums stay exact. */
const largestAmount = 100_000_000_000_000

const id = Type.String({ minLength: 1, maxLength: longestId })
const text = Type.String({ maxLength: longestText })
const optional = <Schema extends TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]))

const account = Type.Object({
  account_id: id,
  name: text,
  mask: optional(text),
  type: Type.String({ minLength: 1, maxLength: longestText }),
  subtype: optional(text),
  persistent_account_id: optional(id),
  balances: Type.Object({
    current: optional(Type.Number()),
    available: optional(Type.Number()),
    iso_currency_code: optional(text),
    last_updated_datetime: optional(text)
  })
})

const transaction = Type.Object({
  transaction_id: id,
  account_id: id,
  amount: Type.Number(),
  iso_currency_code: optional(text),
  date: text,
  authorized_date: optional(text),
  pending: Type.Boolean(),
  pending_transaction_id: optional(id),
  name: optional(text),
  merchant_name: optional(text),
  personal_finance_category: optional(Type.Object({ primary: optional(text) }))
})

const removal = Type.Object({ transaction_id: id })

export type SoundAccount = Static<typeof account>
export type SoundTransaction = Static<typeof transaction>
export type SoundRemoval = Static<typeof removal>

const accountCheck = TypeCompiler.Compile(account)
const transactionCheck = TypeCompiler.Compile(transaction)
const removalCheck = TypeCompiler.Compile(removal)

const isAmount = (amount: number, currency: string | null | undefined): boolean =>
  Math.abs(toMinorUnits(amount, currency ?? null)) <= largestAmount

/** Whether a text is a date that exists, as YYYY-MM-DD. */
const isDate = (value: string): boolean => hasDateForm(value) && readMoment(value) !== undefined

const accountFault = ({ balances }: SoundAccount): string | undefined => {
  for (const field of ['current', 'available'] as const)
    if (!isAmount(balances[field] ?? 0, balances.iso_currency_code)) return `/balances/${field}: out of range`
  return undefined
}

const transactionFault = (value: SoundTransaction): string | undefined => {
  if (!isAmount(value.amount, value.iso_currency_code)) return '/amount: out of range'
  if (!isDate(value.date)) return '/date: not a date'
  const authorized = value.authorized_date ?? undefined
  if (authorized !== undefined && !isDate(authorized)) return '/authorized_date: not a date'
  if (value.pending_transaction_id === value.transaction_id) return '/pending_transaction_id: its own id'
  return undefined
}

const noFault = (): undefined => undefined

const kinds = {
  account: { check: accountCheck, idField: 'account_id', faultOf: accountFault },
  transaction: { check: transactionCheck, idField: 'transaction_id', faultOf: transactionFault },
  removal: { check: removalCheck, idField: 'transaction_id', faultOf: noFault }
} as const

interface RecordOf {
  account: SoundAccount
  transaction: SoundTransaction
  removal: SoundRemoval
}

/** Plaid's id of a record, if it has a usable one. */
const idOf = (record: unknown, field: string): string | undefined => {
  const value = typeof record === 'object' && record !== null ? (record as Record<string, unknown>)[field] : undefined
  return typeof value === 'string' && value.length > 0 && value.length <= longestId ? value : undefined
}

const keyOf = (record: unknown, field: string): string =>
  idOf(record, field) ??
  createHash('sha256')
    .update(JSON.stringify(record) ?? '')
    .digest('hex')

/** Tells sound records from odd ones; anything but an array holds no records. */
export const sortOut = <Kind extends keyof RecordOf>(
  kind: Kind,
  records: unknown
): { sound: RecordOf[Kind][]; odd: OddRecord[] } => {
  const { check, idField, faultOf } = kinds[kind]
  const sound: RecordOf[Kind][] = []
  const odd: OddRecord[] = []
  for (const record of Array.isArray(records) ? (records as unknown[]) : []) {
    const found = check.Check(record)
      ? (faultOf as (value: unknown) => string | undefined)(record)
      : describe(check.Errors(record).First())
    if (found === undefined) sound.push(record as RecordOf[Kind])
    else odd.push({ kind, key: keyOf(record, idField), fault: found, record })
  }
  return { sound, odd }
}

const describe = (error: { path: string; message: string } | undefined): string =>
  `${error?.path ?? ''}: ${error?.message ?? 'not valid'}`.slice(0, 200)
