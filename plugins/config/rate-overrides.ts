import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** Requests per window by rate class, for one partner. */
const RateOverrides = Type.Record(Type.String(), Type.Integer({ minimum: 0 }))
export type RateOverrides = Static<typeof RateOverrides>

const OverridesByPartner = Type.Record(Type.String(), RateOverrides)

/** Overrides by partner id and rate class, from JSON; undefined when the text is not such JSON. */
export const parseRateOverrides = (text: string): Record<string, RateOverrides> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(OverridesByPartner, value) ? value : undefined
  } catch {
    return undefined
  }
}
