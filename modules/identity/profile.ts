import type { SessionCaller } from '../../plugins/access/caller.ts'
import type { Db } from '../../plugins/database/types.ts'
import { unauthorized } from '../../plugins/http/errors/kinds.ts'
import type { User } from '../../spec/generated/identity.ts'
import { findMember } from './queries/users.ts'
import { toUser } from './wire.ts'

/** Reads the signed-in user. @throws ProblemError 401 when the user was deleted after the session was checked. */
export const readProfile = async (db: Db, caller: SessionCaller): Promise<User> => {
  const member = await findMember(db, caller.userId, caller.partnerId)
  if (member === undefined) throw unauthorized('The session has ended. Sign in again.')
  return toUser(member)
}
