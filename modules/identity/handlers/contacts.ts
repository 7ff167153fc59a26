import type { FastifyInstance } from 'fastify'
import type { Trx } from '../../../plugins/database/types.ts'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import type { operations } from '../../../spec/generated/identity.ts'
import { codeLifetimeMs, createCode, type CodePurpose } from '../codes.ts'
import { emailAlreadyVerified, invalidCode } from '../errors.ts'
import { readProfile } from '../profile.ts'
import { forgetCode, redeemCode, storeCode } from '../queries/codes.ts'
import { updateUser } from '../queries/users.ts'

type Contacts = 'sendEmailCode' | 'verifyEmail' | 'setPhone' | 'verifyPhone' | 'removePhone'

/** The signed-in user's e-mail address and phone number, verified by codes that are sent there. */
export const contactHandlers = ({
  clock,
  messages,
  secrets
}: Pick<FastifyInstance, 'clock' | 'messages' | 'secrets'>): Pick<Handlers<typeof operations>, Contacts> => {
  const keys = secrets.derive('verification codes')

  /** Sends a code. @returns the effect that stores it */
  const sendCode = async (purpose: CodePurpose) => {
    const { userId, kind, target } = purpose
    const code = createCode()
    const minutes = codeLifetimeMs[kind] / 60_000
    const text = `Your AtlasForge code is ${code}. It is valid for ${minutes} minutes. If you did not request it, ignore this message.`
    const show = await messages[kind === 'email' ? 'mail' : 'text']({
      userId,
      to: target,
      subject: 'Your AtlasForge code',
      text
    })
    return async (trx: Trx) => {
      await show(trx)
      const expiresAt = await storeCode(trx, keys, purpose, code, clock.now())
      return answer(202, { sent_to: target, expires_at: expiresAt.toISOString() })
    }
  }

  return {
    async sendEmailCode({ caller, db }) {
      const { email, email_verified: isVerified } = await readProfile(db, caller)
      if (isVerified) throw emailAlreadyVerified()
      return await sendCode({ userId: caller.userId, kind: 'email', target: email })
    },

    async verifyEmail({ body, caller, db }) {
      const target = await redeemCode(db, keys, caller.userId, 'email', body.code, clock.now())
      // Returned, not thrown: a wrong attempt must be counted.
      if (target === undefined) return invalidCode()
      await updateUser(db, caller.userId, { emailVerifiedAt: clock.now() })
      return await readProfile(db, caller)
    },

    setPhone: async ({ body, caller }) => await sendCode({ userId: caller.userId, kind: 'phone', target: body.phone }),

    async verifyPhone({ body, caller, db }) {
      const target = await redeemCode(db, keys, caller.userId, 'phone', body.code, clock.now())
      if (target === undefined) return invalidCode()
      await updateUser(db, caller.userId, { phone: target })
      return await readProfile(db, caller)
    },

    async removePhone({ caller, db }) {
      await forgetCode(db, caller.userId, 'phone')
      await updateUser(db, caller.userId, { phone: null })
      return null
    }
  }
}
