import type { FastifyInstance } from 'fastify'
import { revokeTokensOf } from '../../../plugins/access/credentials.ts'
import { invalidFields } from '../../../plugins/http/errors/kinds.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import type { operations } from '../../../spec/generated/identity.ts'
import { invalidCredentials } from '../errors.ts'
import { passwordFault } from '../password-rules.ts'
import type { Passwords } from '../passwords.ts'
import { preferencesFault } from '../preferences.ts'
import { readProfile } from '../profile.ts'
import { revokeOtherSessions } from '../queries/sessions.ts'
import * as users from '../queries/users.ts'

const wrongPassword = () => invalidCredentials('The current password is wrong.')

type Profile = 'getProfile' | 'updateProfile' | 'changePassword' | 'getPreferences' | 'replacePreferences'

/** The profile, password and preferences of the signed-in user. */
export const profileHandlers = (
  { clock }: Pick<FastifyInstance, 'clock'>,
  passwords: Passwords
): Pick<Handlers<typeof operations>, Profile> => ({
  async getProfile({ caller, db }) {
    return await readProfile(db, caller)
  },

  async updateProfile({ body, caller, db }) {
    await users.updateUser(db, caller.userId, { name: body.name.trim() })
    return await readProfile(db, caller)
  },

  async changePassword({ body, caller, db }) {
    const user = await users.findPassword(db, caller.userId)
    const fault = await passwordFault(body.new_password, user?.email ?? '')
    if (fault !== undefined) throw invalidFields([{ path: 'body/new_password', message: fault }])
    if (!(await passwords.verify(user?.passwordHash, body.current_password, 'known'))) throw wrongPassword()
    const passwordHash = await passwords.hash(body.new_password, 'known')
    return async (trx) => {
      // Of concurrent changes the first one counts.
      if ((await users.lockPasswordForChange(trx, caller.userId)) !== user?.passwordHash) throw wrongPassword()
      await users.updateUser(trx, caller.userId, { passwordHash })
      await revokeOtherSessions(trx, caller.userId, caller.sessionId, clock.now())
      if (body.revoke_tokens) await revokeTokensOf(trx, caller.userId, clock.now())
      return null
    }
  },

  async getPreferences({ caller, db }) {
    return await users.readPreferences(db, caller.userId)
  },

  async replacePreferences({ body, caller, db }) {
    const json = JSON.stringify(body)
    const fault = preferencesFault(json)
    if (fault !== undefined) throw invalidFields([{ path: 'body', message: fault }])
    await users.updateUser(db, caller.userId, { preferences: json })
    return body
  }
})
