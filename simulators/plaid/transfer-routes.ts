import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { accountsOf } from './accounts.ts'
import {
  achClassForbidden,
  illegalTransferEvent,
  invalidAccountId,
  invalidField,
  missingFields,
  transferAccountUnsupported,
  transferNotCancellable
} from './errors.ts'
import { migrateAccount, requireItem } from './items.ts'
import type { Item } from './items.ts'
import * as schemas from './schemas.ts'
import { registerEndpoint } from './simulation.ts'
import type { Simulation } from './simulation.ts'
import type { AchClass, TransferFailure, TransferNetwork, TransferType, TransferUser } from './tables.ts'
import {
  cancelTransfer,
  findAuthorization,
  findEventsAfter,
  findTransfer,
  insertAuthorization,
  insertTransfer,
  settleDue,
  stepTransfer
} from './transfer-queries.ts'
import {
  allowsAchClass,
  authorizationBody,
  decide,
  eventBody,
  isAch,
  isTransferable,
  transferBody
} from './transfers.ts'
import type { Webhook } from './webhooks.ts'

/** An unused authorization expires after one hour. */
const authorizationLifeMs = 3_600_000

const noSuchTransfer = () => invalidField('transfer_id does not match any transfer')
const centsOf = (amount: string) => Number(amount.replace('.', ''))

/** Registers Plaid Transfer: authorizations, transfers, their events, and the sandbox's simulation of events. */
export const registerTransferRoutes = (app: FastifyInstance, simulation: Simulation): void => {
  registerAuthorizations(app, simulation)
  registerTransfers(app, simulation)
  registerEvents(app, simulation)
}

const updateWebhooks = (simulation: Simulation, url = simulation.transferWebhookUrl()): Webhook[] =>
  url === undefined
    ? []
    : [{ url, itemId: null, body: { webhook_type: 'TRANSFER', webhook_code: 'TRANSFER_EVENTS_UPDATE' } }]

/** Validates a proposal before any decision about risk. @returns its account */
const checkProposal = (
  item: Item,
  now: Date,
  body: {
    account_id: string
    type: TransferType
    network: TransferNetwork
    ach_class?: AchClass
    amount: string
    iso_currency_code?: string
  }
) => {
  const account = accountsOf(item, now).find((candidate) => candidate.account_id === body.account_id)
  if (account === undefined) throw invalidAccountId()
  if (!isTransferable(account)) throw transferAccountUnsupported()
  if (centsOf(body.amount) === 0) throw invalidField('amount must be greater than 0.00')
  if ((body.iso_currency_code ?? 'USD') !== 'USD') throw invalidField('iso_currency_code must be USD')
  if (isAch(body.network)) {
    if (body.ach_class === undefined) throw missingFields(['ach_class'])
    if (!allowsAchClass(body.type, body.ach_class)) throw achClassForbidden(body.ach_class, body.type)
  } else if (body.type === 'debit') {
    throw invalidField(`network ${body.network} cannot be used for debits`)
  }
  return account
}

type UserInput = {
  legal_name: string
  phone_number?: string | null
  email_address?: string | null
  address?: Partial<Record<'street' | 'city' | 'region' | 'postal_code' | 'country', string | null>> | null
}

const userOf = ({ legal_name, phone_number, email_address, address }: UserInput): TransferUser => ({
  legal_name,
  phone_number: phone_number ?? null,
  email_address: email_address ?? null,
  address:
    address === undefined || address === null
      ? null
      : {
          street: address.street ?? null,
          city: address.city ?? null,
          region: address.region ?? null,
          postal_code: address.postal_code ?? null,
          country: address.country ?? null
        }
})

const registerAuthorizations = (app: FastifyInstance, simulation: Simulation): void => {
  registerEndpoint(
    app,
    simulation,
    '/transfer/authorization/create',
    schemas.authorizationCreate,
    async (body, { now }) => {
      const item = await requireItem(simulation, body.access_token)
      const account = checkProposal(item, now, body)
      const { decision, rationaleCode } = decide(account, body.type, centsOf(body.amount), {
        loginRequired: item.login_required_at !== null,
        migrated: item.migrated_mask !== null
      })
      const authorization = await insertAuthorization(
        simulation.db,
        {
          authorization_id: randomUUID(),
          idempotency_key: body.idempotency_key ?? null,
          item_id: item.item_id,
          account_id: account.account_id,
          type: body.type,
          network: body.network,
          ach_class: isAch(body.network) ? (body.ach_class ?? null) : null,
          amount_cents: centsOf(body.amount),
          legal_user: JSON.stringify(userOf(body.user)),
          decision,
          rationale_code: rationaleCode,
          created_at: now
        },
        now
      )
      return { authorization: authorizationBody(authorization) }
    }
  )

  registerEndpoint(
    app,
    simulation,
    '/transfer/migrate_account',
    schemas.transferMigrateAccount,
    async (body, { now }) => {
      const item = await migrateAccount(
        simulation,
        { routing: body.routing_number, number: body.account_number, subtype: body.account_type },
        now
      )
      return { access_token: item.access_token, account_id: accountsOf(item, now)[0]?.account_id }
    }
  )
}

const registerTransfers = (app: FastifyInstance, simulation: Simulation): void => {
  const { db, autosettle } = simulation
  registerEndpoint(app, simulation, '/transfer/create', schemas.transferCreate, async (body, call) => {
    const item = await requireItem(simulation, body.access_token)
    const authorization = await findAuthorization(db, body.authorization_id)
    if (
      authorization === undefined ||
      authorization.item_id !== item.item_id ||
      authorization.account_id !== body.account_id
    ) {
      throw invalidField('authorization_id does not match any authorization of this account')
    }
    // Return an earlier attempt's transfer before any validation: a retry must not fail where the first call succeeded.
    const earlier = await findTransfer(db, { authorizationId: authorization.authorization_id })
    if (earlier !== undefined) return { transfer: transferBody(earlier) }
    if (authorization.decision !== 'approved') throw invalidField('authorization_id is not approved')
    if (authorization.created_at.getTime() + authorizationLifeMs <= call.now.getTime())
      throw invalidField('authorization_id has expired')
    const amountCents = body.amount === undefined ? authorization.amount_cents : centsOf(body.amount)
    if (amountCents === 0 || amountCents > authorization.amount_cents) {
      throw invalidField('amount must be greater than 0.00 and at most the authorized amount')
    }
    const { transfer, created } = await insertTransfer(
      db,
      authorization,
      {
        amountCents,
        description: body.description,
        metadata: body.metadata ?? null,
        autosettle
      },
      call.now
    )
    if (created) call.webhooks.push(...updateWebhooks(simulation))
    return { transfer: transferBody(transfer) }
  })

  registerEndpoint(app, simulation, '/transfer/get', schemas.transferGet, async (body, call) => {
    await settle(simulation, call)
    if ((body.transfer_id === undefined) === (body.authorization_id === undefined)) {
      throw invalidField('exactly one of transfer_id and authorization_id must be given')
    }
    const transfer = await findTransfer(
      db,
      body.transfer_id === undefined
        ? { authorizationId: body.authorization_id ?? '' }
        : { transferId: body.transfer_id }
    )
    if (transfer === undefined) throw noSuchTransfer()
    return { transfer: transferBody(transfer) }
  })

  registerEndpoint(app, simulation, '/transfer/cancel', schemas.transferCancel, async (body, call) => {
    await settle(simulation, call)
    const cancelled = await cancelTransfer(db, body.transfer_id, call.now)
    if (cancelled === undefined) throw noSuchTransfer()
    if (!cancelled) throw transferNotCancellable()
    call.webhooks.push(...updateWebhooks(simulation))
    return {}
  })
}

/** With autosettle, reads move transfers by the clock, so that no timer is needed. */
const settle = async (simulation: Simulation, call: { now: Date; webhooks: Webhook[] }): Promise<void> => {
  if (simulation.autosettle && (await settleDue(simulation.db, call.now)) > 0)
    call.webhooks.push(...updateWebhooks(simulation))
}

const failureOf = (
  eventType: string,
  reason: { failure_code?: string | null; ach_return_code?: string | null; description?: string } | null | undefined
): TransferFailure | null => {
  if (eventType !== 'failed' && eventType !== 'returned') return null
  // Plaid has codes for returns only; R01 means insufficient funds.
  const code = eventType === 'returned' ? (reason?.failure_code ?? reason?.ach_return_code ?? 'R01') : null
  return {
    failure_code: code,
    ach_return_code: code,
    description:
      reason?.description ??
      (eventType === 'returned' ? 'Insufficient funds' : 'The transfer could not be sent to the network')
  }
}

const registerEvents = (app: FastifyInstance, simulation: Simulation): void => {
  const { db } = simulation
  registerEndpoint(app, simulation, '/transfer/event/sync', schemas.transferEventSync, async (body, call) => {
    await settle(simulation, call)
    const count = body.count ?? 100
    const events = await findEventsAfter(db, body.after_id, count)
    return { transfer_events: events.slice(0, count).map(eventBody), has_more: events.length > count }
  })

  registerEndpoint(app, simulation, '/sandbox/transfer/simulate', schemas.transferSimulate, async (body, call) => {
    if (!['posted', 'settled', 'failed', 'funds_available', 'returned'].includes(body.event_type))
      throw illegalTransferEvent()
    const failure = failureOf(body.event_type, body.failure_reason)
    if (!(await stepTransfer(db, body.transfer_id, body.event_type, failure, call.now, simulation.autosettle)))
      throw noSuchTransfer()
    call.webhooks.push(...updateWebhooks(simulation, body.webhook ?? simulation.transferWebhookUrl()))
    return {}
  })
}
