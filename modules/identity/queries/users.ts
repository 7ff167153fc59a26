import { randomUUID } from 'node:crypto'
import { sql, type InferResult } from 'kysely'
import { toRow, type FieldsOf } from '../../../plugins/database/rows.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import { emailKeyOf } from '../../../plugins/email-address.ts'

export interface NewUser extends Pick<FieldsOf<'users'>, 'email' | 'name' | 'passwordHash'> {
  partnerName: string
  operator?: boolean
  emailVerifiedAt?: Date
}

const selectMembers = (db: Db) =>
  db
    .selectFrom('users')
    .innerJoin('memberships', 'memberships.user_id', 'users.id')
    .select([
      'users.id',
      'users.email',
      'users.email_verified_at as emailVerifiedAt',
      'users.name',
      'users.phone',
      'memberships.partner_id as partnerId',
      'memberships.role'
    ])

/** A user as a member of one partner. */
export type Member = InferResult<ReturnType<typeof selectMembers>>[number]

/** Inserts a user who owns a new partner; undefined when the email address is taken. */
export const insertUserWithPartner = async (
  trx: Trx,
  { partnerName, ...user }: NewUser,
  now: Date
): Promise<Member | undefined> => {
  const added = await trx
    .insertInto('users')
    .values({ ...toRow(user), id: randomUUID(), email_key: emailKeyOf(user.email), created_at: now })
    .onConflict((conflict) => conflict.column('email_key').doNothing())
    .returning(['id', 'email', 'email_verified_at as emailVerifiedAt', 'name', 'phone'])
    .executeTakeFirst()
  if (added === undefined) return undefined
  const partnerId = randomUUID()
  await trx.insertInto('partners').values({ id: partnerId, name: partnerName, created_at: now }).execute()
  await trx.insertInto('memberships').values({ user_id: added.id, partner_id: partnerId, role: 'owner' }).execute()
  return { ...added, partnerId, role: 'owner' }
}

/** Finds the user with this email address, in any spelling, and the hash of the password. */
export const findPasswordByEmail = async (db: Db, email: string) =>
  await db
    .selectFrom('users')
    .select(['id', 'password_hash as passwordHash'])
    .where('email_key', '=', emailKeyOf(email))
    .executeTakeFirst()

const selectPassword = (db: Db, userId: string) =>
  db.selectFrom('users').select('password_hash as passwordHash').where('id', '=', userId)

export const findPassword = async (db: Db, userId: string) =>
  await selectPassword(db, userId).select('email').executeTakeFirst()

/** Reads the hash of a user's password and locks it against changes until the transaction ends. */
export const lockPassword = async (trx: Trx, userId: string): Promise<string | undefined> =>
  (await selectPassword(trx, userId).forShare().executeTakeFirst())?.passwordHash

/** The same for a transaction that changes it. */
export const lockPasswordForChange = async (trx: Trx, userId: string): Promise<string | undefined> =>
  (await selectPassword(trx, userId).forUpdate().executeTakeFirst())?.passwordHash

/** Finds the partner that a user signs in to: preferably one that the user owns. */
export const findDefaultMember = async (db: Db, userId: string): Promise<Member | undefined> =>
  await selectMembers(db)
    .where('users.id', '=', userId)
    .orderBy('memberships.role', 'desc')
    .orderBy('memberships.partner_id')
    .executeTakeFirst()

export const findMember = async (db: Db, userId: string, partnerId: string): Promise<Member | undefined> =>
  await selectMembers(db)
    .where('users.id', '=', userId)
    .where('memberships.partner_id', '=', partnerId)
    .executeTakeFirst()

/** Changes the given fields; `preferences` as JSON. */
export const updateUser = async (
  trx: Trx,
  userId: string,
  changes: {
    name?: string
    passwordHash?: string
    preferences?: string
    emailVerifiedAt?: Date
    phone?: string | null
  }
): Promise<void> => {
  await trx.updateTable('users').set(toRow(changes)).where('id', '=', userId).execute()
}

export const readPreferences = async (db: Db, userId: string): Promise<Record<string, unknown>> =>
  (await db.selectFrom('users').select('preferences').where('id', '=', userId).executeTakeFirstOrThrow()).preferences

/** Whether this partner exists, or without an id, whether any partner exists. */
export const partnerExists = async (db: Db, id?: string): Promise<boolean> => {
  const query = db.selectFrom('partners').select('id').limit(1)
  return (await (id === undefined ? query : query.where('id', '=', id)).executeTakeFirst()) !== undefined
}

/** Serialises the creation of the demo partner across instances. */
export const lockDemo = async (trx: Trx): Promise<void> => {
  await sql`select pg_advisory_xact_lock(hashtextextended('atlas demo partner', 0))`.execute(trx)
}
