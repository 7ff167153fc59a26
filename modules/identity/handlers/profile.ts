import type { FastifyInstance } from 'fastify'
import type { SessionCaller } from '../../../plugins/access/caller.ts'
import type { Db } from '../../../plugins/database/types.ts'
import { unauthorized, validationFailed } from '../../../plugins/http/errors/kinds.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import type { operations } from '../../../spec/generated/identity.ts'
import { invalidCredentials } from '../errors.ts'
import { hashPassword, verifyPassword } from '../passwords.ts'
import { preferencesFault } from '../preferences.ts'
import {
  findMember,
  readPasswordForUpdate,
  readPreferences,
  renameUser,
  replacePassword,
  replacePreferences,
  revokeOtherSessions,
  type Member
} from '../queries.ts'

const readProfile = async (db: Db, caller: SessionCaller): Promise<Member> => {
  const member = await findMember(db, caller.userId, caller.partnerId)
  // The session was good when the request began; its user has gone since.
  if (member === undefined) throw unauthorized('The session is over. Sign in again.')
  return member
}

type ProfileOperations = 'getProfile' | 'updateProfile' | 'changePassword' | 'getPreferences' | 'replacePreferences'

/** What a signed-in user reads and changes of itself. */
export const profileHandlers = (app: FastifyInstance): Pick<Handlers<typeof operations>, ProfileOperations> => ({
  async getProfile({ caller, db }) {
    return await readProfile(db, caller)
  },

  async updateProfile({ body, caller, db }) {
    await renameUser(db, caller.userId, body.name.trim())
    return await readProfile(db, caller)
  },

  async changePassword({ body, caller, db }) {
    const stored = await readPasswordForUpdate(db, caller.userId)
    if (!(await verifyPassword(stored, body.current_password)))
      throw invalidCredentials('The current password is wrong.')
    await replacePassword(db, caller.userId, await hashPassword(body.new_password))
    await revokeOtherSessions(db, caller.userId, caller.sessionId, app.clock.now())
    return null
  },

  async getPreferences({ caller, db }) {
    return await readPreferences(db, caller.userId)
  },

  async replacePreferences({ body, caller, db }) {
    const json = JSON.stringify(body)
    const fault = preferencesFault(json)
    if (fault !== undefined)
      throw validationFailed(`The preferences cannot be stored: body ${fault}.`, {
        errors: [{ path: 'body', message: fault }]
      })
    await replacePreferences(db, caller.userId, json)
    return body
  }
})
