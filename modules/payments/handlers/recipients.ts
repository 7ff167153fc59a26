import type { FastifyInstance } from 'fastify'
import { newId } from '../../../plugins/ids.ts'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { filteredList } from '../../../plugins/paging/filtered-list.ts'
import { pageByTime, readTimePosition } from '../../../plugins/paging/pages.ts'
import { requireQuota } from '../../../plugins/quotas.ts'
import type { operations } from '../../../spec/generated/payments.ts'
import { invalidRoutingNumber, recipientNotFound } from '../errors.ts'
import {
  accessTokenContext,
  accountNumberContext,
  findRecipient,
  insertRecipient,
  listRecipients,
  markRecipientDeleted,
  selectRecipients
} from '../queries/recipients.ts'
import { isRoutingNumber } from '../routing-number.ts'
import { toRecipient } from '../wire.ts'

const maskLength = 4

export const recipientHandlers = (
  app: FastifyInstance
): Pick<Handlers<typeof operations>, 'createRecipient' | 'listRecipients' | 'deleteRecipient'> => ({
  async createRecipient({ body, caller }) {
    const { account_number, routing_number, account_type } = body
    if (!isRoutingNumber(routing_number)) throw invalidRoutingNumber()
    // Repeatable: migrating an account again returns access to the same account.
    const migrated = await app.plaid
      .in(caller.environment)
      .call((api) => api.transferMigrateAccount({ account_number, routing_number, account_type }), { repeatable: true })
    const { partnerId, environment } = caller
    const viewer = { partnerId, environments: [environment] }
    return async (trx) => {
      const id = newId('acc_recipient')
      const recipient = {
        id,
        partnerId,
        environment,
        userId: body.user_id ?? null,
        name: body.name,
        routingNumber: routing_number,
        mask: account_number.slice(-maskLength),
        accountType: account_type,
        plaidAccountId: migrated.account_id,
        encryptedAccessToken: app.secrets.encrypt(migrated.access_token, accessTokenContext(id)),
        createdAt: app.clock.now()
      }
      await insertRecipient(trx, recipient, app.secrets.encrypt(account_number, accountNumberContext(id)))
      await requireQuota(trx, 'recipients', `${partnerId} ${environment}`, selectRecipients(trx, viewer))
      return toRecipient(recipient)
    }
  },

  async listRecipients({ query, caller, db }) {
    const { user_id: userId, cursor, limit = 100 } = query
    const list = filteredList('recipients', { user_id: userId })
    const after = readTimePosition(app.cursors, list, cursor)
    const found = await listRecipients(db, caller, userId, limit + 1, after)
    const { rows, nextCursor } = pageByTime(app.cursors, list, found, limit)
    return { recipients: rows.map(toRecipient), next_cursor: nextCursor, has_more: nextCursor !== null }
  },

  async deleteRecipient({ params, caller, db }) {
    const recipient = await findRecipient(db, caller, params.id)
    if (recipient === undefined) throw recipientNotFound()
    await markRecipientDeleted(db, recipient, app.clock.now())
    return answer(204, null)
  }
})
