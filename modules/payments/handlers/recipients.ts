import type { FastifyInstance } from 'fastify'
import { notFound, validationFailed } from '../../../plugins/http/errors/kinds.ts'
import { newId } from '../../../plugins/ids.ts'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageByTime, readTimePosition } from '../../../plugins/paging/pages.ts'
import type { operations } from '../../../spec/generated/payments.ts'
import {
  accessTokenContext,
  accountNumberContext,
  findRecipient,
  insertRecipient,
  markRecipientDeleted,
  pageRecipients
} from '../queries/recipients.ts'
import { isRoutingNumber } from '../routing-number.ts'
import { toRecipient } from '../wire.ts'

const listName = 'recipients'
const maskLength = 4

const badRoutingNumber = () =>
  validationFailed('The request has 1 invalid field: body/routing_number.', {
    errors: [{ path: 'body/routing_number', message: 'is not a routing number: its checksum does not add up' }]
  })

export const recipientHandlers = (
  app: FastifyInstance
): Pick<Handlers<typeof operations>, 'createRecipient' | 'listRecipients' | 'deleteRecipient'> => ({
  async createRecipient({ body, caller }) {
    if (!isRoutingNumber(body.routing_number)) throw badRoutingNumber()
    const { account_number, routing_number, account_type } = body
    // Doing it again only gives access to the same account again.
    const migrated = await app.plaid
      .in(caller.environment)
      .call((api) => api.transferMigrateAccount({ account_number, routing_number, account_type }), { repeatable: true })
    return async (trx) => {
      const id = newId('acc_recipient')
      const recipient = await insertRecipient(trx, {
        id,
        partner_id: caller.partnerId,
        environment: caller.environment,
        user_id: body.user_id ?? null,
        name: body.name,
        routing_number,
        account_number: app.secrets.encrypt(account_number, accountNumberContext(id)),
        mask: account_number.slice(-maskLength),
        account_type,
        plaid_account_id: migrated.account_id,
        access_token: app.secrets.encrypt(migrated.access_token, accessTokenContext(id)),
        created_at: app.clock.now(),
        deleted_at: null
      })
      return toRecipient(recipient)
    }
  },

  async listRecipients({ query, caller, db }) {
    const limit = query.limit ?? 100
    const found = await pageRecipients(
      db,
      caller,
      query.user_id,
      limit,
      readTimePosition(app.cursors, listName, query.cursor)
    )
    const { rows, nextCursor } = pageByTime(app.cursors, listName, found, limit)
    return { recipients: rows.map(toRecipient), next_cursor: nextCursor, has_more: nextCursor !== null }
  },

  async deleteRecipient({ params, caller, db }) {
    const recipient = await findRecipient(db, caller, params.id)
    if (recipient === undefined) throw notFound('There is no such recipient.')
    await markRecipientDeleted(db, recipient, app.clock.now())
    return answer(204, null)
  }
})
