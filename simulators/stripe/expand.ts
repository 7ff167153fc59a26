import { invalidRequest } from './errors.ts'
import type { Params } from './params.ts'
import { chargeObject, paymentIntentObject, refundObject } from './payment-objects.ts'
import { loadPayment, loadPaymentOfCharge, loadSession, refunds, type Reader } from './queries.ts'
import { lineItemList } from './session-objects.ts'

type Json = Record<string, unknown>
type Expansion = (db: Reader, owner: Json) => Promise<object>

const maxExpandDepth = 4

const paymentIntentOf: Expansion = async (db, owner) =>
  paymentIntentObject(await loadPayment(db, String(owner.payment_intent)))
const chargeOf: Expansion = async (db, owner) => chargeObject(await loadPaymentOfCharge(db, String(owner.charge)))

/** The fields that `expand[]` can replace by objects, by object type. */
const expansions: Record<string, Record<string, Expansion>> = {
  'checkout.session': {
    payment_intent: paymentIntentOf,
    line_items: async (db, owner) => lineItemList(await loadSession(db, String(owner.id)))
  },
  payment_intent: {
    latest_charge: async (db, owner) => chargeObject(await loadPaymentOfCharge(db, String(owner.latest_charge)))
  },
  charge: {
    payment_intent: paymentIntentOf,
    refunds: async (db, owner) => {
      const rows = await refunds(db)
        .where('p.charge_id', '=', String(owner.id))
        .orderBy('t.sequence', 'desc')
        .limit(11)
        .execute()
      const url = `/v1/charges/${String(owner.id)}/refunds`
      return { object: 'list', data: rows.slice(0, 10).map(refundObject), has_more: rows.length > 10, url }
    }
  },
  refund: { payment_intent: paymentIntentOf, charge: chargeOf },
  dispute: { payment_intent: paymentIntentOf, charge: chargeOf }
}

/** The `expand[]` parameter as paths. @throws StripeApiError 400 when one is deeper than four levels */
export const readExpand = (params: Params): string[][] =>
  params.strings('expand').map((path) => {
    const segments = path.split('.')
    if (segments.length > maxExpandDepth) {
      throw params.invalid('expand', `You cannot expand more than ${maxExpandDepth} levels of a property.`)
    }
    return segments
  })

/** A copy of `object` with the named fields expanded. @throws StripeApiError 400 for what cannot be expanded */
export const expand = async (db: Reader, object: object, paths: string[][]): Promise<object> => {
  let expanded: Json = { ...object }
  for (const path of paths) expanded = await expandPath(db, expanded, path)
  return expanded
}

const expandPath = async (db: Reader, object: Json, path: string[]): Promise<Json> => {
  const [head, ...rest] = path
  if (head === undefined) return object
  if (object.object === 'list' && head === 'data' && Array.isArray(object.data)) {
    const data: Json[] = []
    for (const item of object.data as Json[]) data.push(await expandPath(db, { ...item }, rest))
    return { ...object, data }
  }
  const expansion = expansions[String(object.object)]?.[head]
  if (expansion === undefined) throw invalidRequest(`This property cannot be expanded (${head}).`, { param: 'expand' })
  const present = object[head]
  if (present === null) return object
  const loaded = typeof present === 'object' ? { ...present } : { ...(await expansion(db, object)) }
  return { ...object, [head]: await expandPath(db, loaded, rest) }
}
