import { randomUUID } from 'node:crypto'
import { sql, type InferResult } from 'kysely'
import { toRow, type FieldsOf } from '../../../plugins/database/rows.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'

export interface NewUser extends Pick<FieldsOf<'users'>, 'email' | 'name' | 'passwordHash'> {
  partnerName: string
  operator?: boolean
}

const selectMembers = (db: Db) =>
  db
    .selectFrom('users')
    .innerJoin('memberships', 'memberships.user_id', 'users.id')
    .select(['users.id', 'users.email', 'users.name', 'memberships.partner_id as partnerId', 'memberships.role'])

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
    .values({ ...toRow(user), id: randomUUID(), created_at: now })
    .onConflict((conflict) => conflict.expression(sql`lower(email)`).doNothing())
    .returning(['id', 'email', 'name'])
    .executeTakeFirst()
  if (added === undefined) return undefined
  const partnerId = randomUUID()
  await trx.insertInto('partners').values({ id: partnerId, name: partnerName, created_at: now }).execute()
  await trx.insertInto('memberships').values({ user_id: added.id, partner_id: partnerId, role: 'owner' }).execute()
  return { ...added, partnerId, role: 'owner' }
}

/**
 * Reads the password hash of the user with this email address and locks it against changes. A concurrent password change therefore
 * either ends the session that is being opened, or makes the old password fail.
 */
export const readPasswordByEmail = async (trx: Trx, email: string) =>
  await trx
    .selectFrom('users')
    .select(['id', 'password_hash as passwordHash'])
    .where(sql`lower(email)`, '=', sql`lower(${email})`)
    .forShare()
    .executeTakeFirst()

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
  changes: { name?: string; passwordHash?: string; preferences?: string }
): Promise<void> => {
  await trx.updateTable('users').set(toRow(changes)).where('id', '=', userId).execute()
}

/** Reads and locks the password hash of a user, to serialise password changes. */
export const readPasswordForUpdate = async (trx: Trx, userId: string): Promise<string | undefined> =>
  (await trx.selectFrom('users').select('password_hash').where('id', '=', userId).forUpdate().executeTakeFirst())
    ?.password_hash

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
