import { data as currencies } from 'currency-codes'
import { accountIdOf } from '../ids.ts'
import { seededId, createSeededRandom } from '../random.ts'
import { isoDate } from './days.ts'
import type { Version } from './life.ts'
import type { Merchant } from './merchants.ts'
import type { Town } from './profile.ts'

const nowhere = {
  address: null,
  city: null,
  region: null,
  postal_code: null,
  country: null,
  lat: null,
  lon: null,
  store_number: null
}

const noPaymentMeta = {
  by_order_of: null,
  payee: null,
  payer: null,
  payment_method: null,
  payment_processor: null,
  ppd_id: null,
  reason: null,
  reference_number: null
}

/** The item that a transaction is rendered for. */
export interface RenderContext {
  itemId: string
  town: Town
  /** The currency of an account by its key. */
  currencyOf: (accountKey: string) => string
  includeOriginalDescription: boolean
}

/** The transaction_id of a version; pending and posted have different ones. */
export const transactionIdOf = (itemId: string, version: Pick<Version, 'life' | 'stage'>): string =>
  seededId('transaction', itemId, version.life.key, version.stage)

const locationOf = (merchant: Merchant, town: Town) => {
  if (merchant.channel !== 'in store') return nowhere
  const random = createSeededRandom(`${merchant.name}|${town.city}`)
  return {
    address: `${random.whole(10, 4_999)} ${random.pick(['Main St', 'Market St', 'Oak Ave', 'Mission St', '3rd Ave', 'Broadway'])}`,
    city: town.city,
    region: town.region,
    postal_code: town.postalCode,
    country: 'US',
    lat: Math.round((town.lat + (random.next() - 0.5) / 10) * 1e6) / 1e6,
    lon: Math.round((town.lon + (random.next() - 0.5) / 10) * 1e6) / 1e6,
    store_number: String(random.whole(100, 9_999))
  }
}

const transactionTypes = { online: 'digital', 'in store': 'place', other: 'special' } as const

const decimalsByCode = new Map(currencies.map(({ code, digits }) => [code, digits]))

/** The amount in the currency's major unit, by ISO 4217. */
const fromMinorUnits = (amount: number, currency: string): number => amount / 10 ** (decimalsByCode.get(currency) ?? 2)

/** The transaction object of /transactions/sync. */
export const renderTransaction = (version: Version, context: RenderContext) => {
  const { life, stage } = version
  const { merchant } = life
  const revision = version.revised ? life.revision : null
  const cents = revision?.amountCents ?? (stage === 'pending' ? life.amountCents : life.postedCents)
  const primary = revision?.primary ?? merchant.primary
  const detail = revision?.detail ?? merchant.detail
  const happenedAt = stage === 'posted' && life.postedAt !== null ? life.postedAt : life.authorizedAt
  const currency = context.currencyOf(life.mask)
  const ofBank = merchant.counterparty === 'financial_institution'
  const entityId = ofBank ? null : seededId('merchant', merchant.name)
  return {
    account_id: accountIdOf(context.itemId, life.mask),
    account_owner: null,
    amount: fromMinorUnits(cents, currency),
    iso_currency_code: currency,
    unofficial_currency_code: null,
    category: null,
    category_id: null,
    check_number: null,
    counterparties: ofBank
      ? []
      : [
          {
            name: merchant.name,
            type: merchant.counterparty,
            logo_url: null,
            website: merchant.website,
            entity_id: entityId,
            confidence_level: 'VERY_HIGH'
          }
        ],
    date: isoDate(happenedAt),
    datetime: stage === 'posted' ? new Date(happenedAt).toISOString() : null,
    authorized_date: isoDate(life.authorizedAt),
    authorized_datetime: new Date(life.authorizedAt).toISOString(),
    location: locationOf(merchant, context.town),
    name: life.line,
    merchant_name: ofBank ? null : merchant.name,
    merchant_entity_id: entityId,
    logo_url: null,
    website: merchant.website,
    original_description: context.includeOriginalDescription ? life.line.toUpperCase() : null,
    payment_meta: noPaymentMeta,
    payment_channel: merchant.channel,
    pending: stage === 'pending',
    pending_transaction_id: version.replacesPending
      ? transactionIdOf(context.itemId, { life, stage: 'pending' })
      : null,
    personal_finance_category: {
      primary,
      detailed: `${primary}_${detail}`,
      confidence_level: revision === null ? 'VERY_HIGH' : 'HIGH'
    },
    personal_finance_category_icon_url: `https://plaid-category-icons.plaid.com/PFC_${primary}.png`,
    transaction_id: transactionIdOf(context.itemId, version),
    transaction_code: null,
    transaction_type: transactionTypes[merchant.channel]
  }
}

export type WireTransaction = ReturnType<typeof renderTransaction>
