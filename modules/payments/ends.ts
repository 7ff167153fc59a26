import type { FastifyInstance } from 'fastify'
import { findAccount, type AccountAccess } from '../linking/index.ts'
import { accessTokenContext, findRecipient, type RecipientRow } from './queries/recipients.ts'
import type { TransferRow, Viewer } from './queries/transfers.ts'

/** One end of a transfer: an account that Plaid can move money from or to. */
export interface End {
  id: string
  userId: string | null
  /** The account holder's name for the bank's network. */
  legalName: string
  type: string
  subtype: string | null
  currency: string | null
  plaidAccountId: string
  accessToken: string
  /** The linked account behind it; a recipient has none. */
  linked: AccountAccess | undefined
}

const recipientPrefix = 'acc_recipient_'

const isRecipientId = (id: string): boolean => id.startsWith(recipientPrefix)

const endOfRecipient = (app: FastifyInstance, recipient: RecipientRow): End | undefined => {
  if (recipient.access_token === null) return undefined
  return {
    id: recipient.id,
    userId: recipient.user_id,
    legalName: recipient.name,
    type: 'depository',
    subtype: recipient.account_type,
    currency: 'USD',
    plaidAccountId: recipient.plaid_account_id,
    accessToken: app.secrets.decrypt(recipient.access_token, accessTokenContext(recipient.id)),
    linked: undefined
  }
}

const endOfAccount = (access: AccountAccess, legalName: string | null): End => ({
  id: access.account.id,
  userId: access.userId,
  legalName: legalName ?? access.userId,
  type: access.account.type,
  subtype: access.account.subtype,
  currency: access.account.isoCurrencyCode,
  plaidAccountId: access.plaidAccountId,
  accessToken: access.accessToken,
  linked: access
})

export interface EndOptions {
  /** The account holder's name, where the partner has told it. */
  legalName?: string | null
  /** Finds deleted recipients as well, for money that is under way to them. */
  deleted?: boolean
}

/** A linked account or a recipient of the partner's; undefined when it has none by this id in these environments. */
export const findEnd = async (
  app: FastifyInstance,
  viewer: Viewer,
  id: string,
  { legalName = null, deleted = false }: EndOptions = {}
): Promise<End | undefined> => {
  const { db } = app.database
  if (isRecipientId(id)) {
    const recipient = await findRecipient(db, viewer, id, { deleted })
    return recipient === undefined ? undefined : endOfRecipient(app, recipient)
  }
  const access = await findAccount(app.secrets, db, viewer, id)
  return access === undefined ? undefined : endOfAccount(access, legalName)
}

/** The end of a transfer that a leg moves money from or to; undefined when it was unlinked meanwhile. */
export const findEndOfTransfer = async (
  app: FastifyInstance,
  transfer: TransferRow,
  side: 'from' | 'to'
): Promise<End | undefined> =>
  await findEnd(
    app,
    { partnerId: transfer.partner_id, environments: [transfer.environment] },
    side === 'from' ? transfer.from_account_id : transfer.to_account_id,
    { deleted: true, legalName: side === 'from' ? transfer.legal_name : null }
  )

const transferable = new Set(['checking', 'savings', 'cash management'])
const instant = new Set(['checking', 'savings'])

/** Whether Plaid moves money from and to this kind of account. */
export const isTransferable = ({ type, subtype }: End): boolean =>
  type === 'depository' && transferable.has(subtype ?? '')

/** Whether instant payments reach this kind of account. */
export const isReachedInstantly = ({ type, subtype }: End): boolean =>
  type === 'depository' && instant.has(subtype ?? '')
