import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** The limit of a rate class for one partner: the ceiling in the unit of the class, optionally with a burst. */
const RateOverride = Type.Union([
  Type.Number({ minimum: 0 }),
  Type.Object(
    { ceiling: Type.Number({ minimum: 0 }), burst: Type.Optional(Type.Number({ minimum: 0 })) },
    { additionalProperties: false }
  )
])

/** Overrides by rate class. */
const RateOverrides = Type.Record(Type.String(), RateOverride)
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
