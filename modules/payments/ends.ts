import type { FastifyInstance } from 'fastify'
import type { Viewer } from '../../plugins/access/viewer.ts'
import { findAccount, type AccountAccess } from '../linking/index.ts'
import { accessTokenContext, findRecipient, type Recipient } from './queries/recipients.ts'
import type { Transfer } from './queries/transfers.ts'

export type EndsContext = Pick<FastifyInstance, 'database' | 'secrets'>

/** One end of a transfer: an account that Plaid can move money from or to. */
export interface End {
  id: string
  userId: string | null
  /** The account holder's name for the network. */
  legalName: string
  type: string
  subtype: string | null
  currency: string | null
  plaidAccountId: string
  accessToken: string
  /** The linked account; undefined for a recipient. */
  linked: AccountAccess | undefined
}

const endOfRecipient = ({ secrets }: EndsContext, recipient: Recipient): End | undefined => {
  if (recipient.encryptedAccessToken === null) return undefined
  return {
    id: recipient.id,
    userId: recipient.userId,
    legalName: recipient.name,
    type: 'depository',
    subtype: recipient.accountType,
    currency: 'USD',
    plaidAccountId: recipient.plaidAccountId,
    accessToken: secrets.decrypt(recipient.encryptedAccessToken, accessTokenContext(recipient.id)),
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
  plaidAccountId: access.account.plaidAccountId,
  accessToken: access.accessToken,
  linked: access
})

/**
 * A linked account or a recipient of the partner; undefined when the partner has none with this id in these environments.
 * @param options.legalName the account holder's name as given by the partner
 * @param options.deleted finds deleted recipients too, for money that is under way to them
 */
export const findEnd = async (
  app: EndsContext,
  viewer: Viewer,
  id: string,
  { legalName = null, deleted = false }: { legalName?: string | null; deleted?: boolean } = {}
): Promise<End | undefined> => {
  const { db } = app.database
  if (id.startsWith('acc_recipient_')) {
    const recipient = await findRecipient(db, viewer, id, { deleted })
    return recipient === undefined ? undefined : endOfRecipient(app, recipient)
  }
  const access = await findAccount(app.secrets, db, viewer, id)
  return access === undefined ? undefined : endOfAccount(access, legalName)
}

/** The source or destination of a transfer; undefined when the account was unlinked meanwhile. */
export const findEndOfTransfer = async (
  app: EndsContext,
  transfer: Transfer,
  side: 'from' | 'to'
): Promise<End | undefined> =>
  await findEnd(
    app,
    { partnerId: transfer.partnerId, environments: [transfer.environment] },
    side === 'from' ? transfer.fromAccountId : transfer.toAccountId,
    { deleted: true, legalName: side === 'from' ? transfer.legalName : null }
  )

const transferableSubtypes = new Set(['checking', 'savings', 'cash management'])
const instantSubtypes = new Set(['checking', 'savings'])

/** Whether Plaid moves money from and to this type of account. */
export const isTransferable = ({ type, subtype }: End): boolean =>
  type === 'depository' && transferableSubtypes.has(subtype ?? '')

/** Whether instant payments reach this type of account. */
export const isReachedInstantly = ({ type, subtype }: End): boolean =>
  type === 'depository' && instantSubtypes.has(subtype ?? '')
