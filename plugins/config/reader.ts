import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** What a class of requests may cost one partner: the ceiling in the class's own unit, or the ceiling with a burst. */
const RateOverride = Type.Union([
  Type.Number({ minimum: 0 }),
  Type.Object(
    { ceiling: Type.Number({ minimum: 0 }), burst: Type.Optional(Type.Number({ minimum: 0 })) },
    { additionalProperties: false }
  )
])
export const RateOverrides = Type.Record(Type.String(), RateOverride)
export type RateOverrides = Static<typeof RateOverrides>

export type Environment = Record<string, string | undefined>

/** Reads settings one by one and collects what is wrong, so that a start-up names every fault at once. */
export class Reader {
  readonly problems: string[] = []
  constructor(private readonly env: Environment) {}

  text(name: string): string | undefined {
    const value = this.env[name]?.trim()
    return value === '' ? undefined : value
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.text(name)?.toLowerCase()
    if (value === undefined) return fallback
    if (['true', '1', 'yes', 'on'].includes(value)) return true
    if (['false', '0', 'no', 'off'].includes(value)) return false
    this.problems.push(`${name} must be true or false`)
    return fallback
  }

  integer(name: string, fallback: number, minimum: number, maximum: number): number {
    const value = this.text(name)
    if (value === undefined) return fallback
    const number = Number(value)
    if (Number.isInteger(number) && number >= minimum && number <= maximum) return number
    this.problems.push(`${name} must be a whole number from ${minimum} to ${maximum}`)
    return fallback
  }

  choice(name: string, fallback: string, choices: string[]): string {
    const value = this.text(name) ?? fallback
    if (!choices.includes(value)) this.problems.push(`${name} must be one of ${choices.join(', ')}`)
    return value
  }

  url(name: string, protocols: string[]): string | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const ok = URL.canParse(value) && protocols.includes(new URL(value).protocol)
    if (!ok)
      this.problems.push(`${name} must be an URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`)
    return value.replace(/\/$/, '')
  }

  /** An address to which paths are added. */
  baseUrl(name: string): string | undefined {
    const value = this.url(name, ['http:', 'https:'])
    if (value === undefined || !URL.canParse(value)) return value
    const { search, hash, username, password } = new URL(value)
    if (`${search}${hash}${username}${password}` !== '')
      this.problems.push(`${name} must not have a query, a fragment or a password`)
    return value
  }

  key(name: string, value: string): Buffer {
    const key = Buffer.from(value, 'base64')
    if (key.length !== 32)
      this.problems.push(`${name} must be 32 bytes in base64 (44 characters); this one has ${key.length} bytes`)
    return key
  }

  rateOverrides(name: string): Record<string, RateOverrides> {
    const text = this.text(name)
    if (text === undefined) return {}
    try {
      const value: unknown = JSON.parse(text)
      if (Value.Check(Type.Record(Type.String(), RateOverrides), value)) return value
    } catch {
      // told below together with a value of the wrong shape
    }
    this.problems.push(`${name} must be JSON such as {"<partner id>": {"standard": 120}}`)
    return {}
  }
}
