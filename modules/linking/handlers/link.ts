import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { CountryCode } from 'plaid'
import { Products, type AccountsGetResponse } from 'plaid'
import type { Trx } from '../../../plugins/database/types.ts'
import { notFound } from '../../../plugins/http/errors/kinds.ts'
import { newId } from '../../../plugins/ids.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { isPlaidFailure } from '../../../plugins/plaid/index.ts'
import { hashSecret } from '../../../plugins/access/secrets.ts'
import type { operations } from '../../../spec/generated/linking.ts'
import { recordUsage } from '../../ingest/index.ts'
import { toAccountRows } from '../changes.ts'
import { invalidPublicToken, itemOfAnotherUser } from '../errors.ts'
import { listAccountsOf, saveAccounts } from '../queries/accounts.ts'
import {
  findItem,
  findItemByPublicToken,
  insertItem,
  insertPublicToken,
  lockItemByPlaidId,
  readPartnerName,
  renewItem,
  tokenContext,
  wantSync,
  type ItemRow
} from '../queries/items.ts'
import { refusedByPlaid } from '../refused.ts'
import type { Viewer } from '../viewer.ts'
import { toInstitution, toLinkedAccount } from '../wire.ts'

const longestClientName = 30

interface Wanted {
  partnerId: string
  environment: ItemRow['environment']
  userId: string
  tokenHash: Buffer
  institution: { institution_id?: string | undefined; name?: string | undefined } | undefined
}

interface Granted {
  accessToken: string
  plaidItemId: string
  answer: AccountsGetResponse
}

const refusedToken = (members: Record<string, unknown> = {}) =>
  invalidPublicToken('Plaid did not take this public token. Run Link again and send the new one.', members)

const assertSameUser = (item: ItemRow, userId: string): void => {
  if (item.user_id !== userId)
    throw itemOfAnotherUser('This item is linked to another of your end-users. Delete it there first.')
}

/** The bank as the caller names it; what the caller leaves out is Plaid's. */
const institutionOf = ({ institution }: Wanted, { answer }: Granted) => ({
  institution_id: institution?.institution_id ?? answer.item.institution_id ?? null,
  institution_name: institution?.name ?? answer.item.institution_name ?? null
})

const exchange = async (
  app: FastifyInstance,
  environment: ItemRow['environment'],
  publicToken: string
): Promise<Granted> => {
  const client = app.plaid.in(environment)
  try {
    // A repeated exchange either answers the same item or is refused, so it may be repeated when an answer was lost.
    const granted = await client.call((api) => api.itemPublicTokenExchange({ public_token: publicToken }), {
      repeatable: true
    })
    const answer = await client.call((api) => api.accountsGet({ access_token: granted.access_token }), {
      repeatable: true
    })
    return { accessToken: granted.access_token, plaidItemId: granted.item_id, answer }
  } catch (error) {
    if (isPlaidFailure(error, 'INVALID_PUBLIC_TOKEN', 'INVALID_FIELD', 'PUBLIC_TOKEN_ALREADY_EXCHANGED'))
      throw refusedToken(error.members)
    throw error
  }
}

/** Stores a granted item: a new one with its usage and event, or a known one with its new token. */
const storeItem = async (app: FastifyInstance, trx: Trx, wanted: Wanted, granted: Granted): Promise<ItemRow> => {
  const id = newId('item')
  const now = app.clock.now()
  const item = await insertItem(trx, {
    id,
    partner_id: wanted.partnerId,
    environment: wanted.environment,
    user_id: wanted.userId,
    plaid_item_id: granted.plaidItemId,
    access_token: app.secrets.encrypt(granted.accessToken, tokenContext(id)),
    ...institutionOf(wanted, granted),
    created_at: now
  })
  if (item === undefined) return await storeAgain(app, trx, wanted, granted)
  const institution = item.institution_name ?? item.institution_id ?? undefined
  const { partnerId, userId } = wanted
  await recordUsage(
    trx,
    [
      {
        partner_id: partnerId,
        event_type: 'account_link',
        user_id: userId,
        institution,
        event_id: `account_link:${id}`
      }
    ],
    now
  )
  await app.outbox.publish(trx, [
    { partnerId, type: 'account.linked', data: { item_id: id, user_id: userId, institution: toInstitution(item) } }
  ])
  return item
}

const storeAgain = async (app: FastifyInstance, trx: Trx, wanted: Wanted, granted: Granted): Promise<ItemRow> => {
  const known = await lockItemByPlaidId(trx, granted.plaidItemId)
  // Another partner's item, or one of the other environment, does not exist for this caller; so its token is no good either.
  if (known === undefined || known.partner_id !== wanted.partnerId || known.environment !== wanted.environment)
    throw refusedToken()
  assertSameUser(known, wanted.userId)
  const { institution_id, name } = wanted.institution ?? {}
  return await renewItem(trx, known.id, app.secrets.encrypt(granted.accessToken, tokenContext(known.id)), {
    ...(institution_id === undefined ? {} : { institution_id }),
    ...(name === undefined ? {} : { institution_name: name })
  })
}

const answerOf = async (trx: Trx, item: ItemRow) => ({
  item_id: item.id,
  institution: toInstitution(item),
  accounts: (await listAccountsOf(trx, [item.id])).map(toLinkedAccount)
})

/** Plaid wants an id of the end-user that tells nothing of the person and is unique among all partners. */
const clientUserIdOf = (partnerId: string, environment: string, userId: string): string =>
  createHash('sha256').update(`${partnerId}\n${environment}\n${userId}`).digest('base64url')

const updateTokenOf = async (
  app: FastifyInstance,
  viewer: Viewer,
  itemId: string
): Promise<{ item: ItemRow; accessToken: string }> => {
  const item = await findItem(app.database.db, viewer, itemId)
  if (item === undefined) throw notFound('There is no such item.')
  return { item, accessToken: app.secrets.decrypt(item.access_token, tokenContext(item.id)) }
}

export const linkHandlers = (
  app: FastifyInstance
): Pick<Handlers<typeof operations>, 'createLinkToken' | 'linkAccounts'> => ({
  async createLinkToken({ body, caller, db }) {
    const update = body.item_id === undefined ? undefined : await updateTokenOf(app, caller, body.item_id)
    const environment = update?.item.environment ?? caller.environment
    const webhook = app.plaid.webhookUrl(environment)
    const clientName = (await readPartnerName(db, caller.partnerId)).slice(0, longestClientName)
    const request = {
      client_name: clientName === '' ? 'AtlasForge' : clientName,
      language: body.language ?? 'en',
      country_codes: (body.country_codes ?? ['US']) as CountryCode[],
      user: { client_user_id: clientUserIdOf(caller.partnerId, environment, update?.item.user_id ?? body.user_id) },
      ...(webhook === undefined ? {} : { webhook }),
      ...(body.redirect_uri === undefined ? {} : { redirect_uri: body.redirect_uri }),
      ...(update === undefined
        ? {
            products: (body.products ?? [Products.Transactions, Products.Auth]) as Products[],
            transactions: { days_requested: app.plaid.historyDays }
          }
        : { access_token: update.accessToken })
    }
    const { link_token, expiration, request_id } = await refusedByPlaid(() =>
      app.plaid.in(environment).call((api) => api.linkTokenCreate(request), { repeatable: true })
    )
    return () => Promise.resolve({ link_token, expiration, request_id })
  },

  async linkAccounts({ body, caller, db }) {
    const tokenHash = hashSecret(body.public_token)
    const { partnerId, environment } = caller
    const wanted: Wanted = { partnerId, environment, userId: body.user_id, tokenHash, institution: body.institution }
    const known = await findItemByPublicToken(db, partnerId, tokenHash)
    if (known !== undefined && known.environment === environment) {
      assertSameUser(known, body.user_id)
      return (trx) => answerOf(trx, known)
    }
    const granted = await exchange(app, environment, body.public_token)
    return async (trx) => {
      const item = await storeItem(app, trx, wanted, granted)
      await insertPublicToken(trx, partnerId, tokenHash, item.id, app.clock.now())
      await saveAccounts(trx, item.id, toAccountRows(granted.answer.accounts, app.clock.now()))
      await wantSync(trx, [item.id])
      return await answerOf(trx, item)
    }
  }
})
