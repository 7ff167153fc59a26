import { invalidRequest, type StripeApiError } from './errors.ts'
import type { FormObject, FormValue } from './form.ts'
import type { Metadata } from './tables.ts'

/**
 * Reads typed parameters from a decoded form and records which were read, so that `done()` can
 * refuse the others as Stripe does. Every method throws StripeApiError 400 with Stripe's code and param.
 */
export class Params {
  private readonly tree: FormObject
  private readonly path: string
  private readonly read = new Set<string>()
  private readonly children: Params[] = []

  constructor(tree: FormObject, path = '') {
    this.tree = tree
    this.path = path
  }

  name(key: string): string {
    return this.path === '' ? key : `${this.path}[${key}]`
  }

  string(key: string, maxLength = 5000): string | undefined {
    const value = this.take(key)
    if (value === undefined) return undefined
    if (typeof value !== 'string') throw this.invalid(key, `Invalid string: ${this.name(key)}`)
    if (value === '') {
      throw invalidRequest(`You passed an empty string for '${this.name(key)}'. Leave the parameter out instead.`, {
        code: 'parameter_invalid_empty',
        param: this.name(key)
      })
    }
    if (value.length > maxLength) {
      throw invalidRequest(`Invalid string: ${value.slice(0, 20)}...; must be at most ${maxLength} characters`, {
        param: this.name(key)
      })
    }
    return value
  }

  requiredString(key: string, maxLength = 5000): string {
    return this.string(key, maxLength) ?? this.missing(key)
  }

  integer(key: string, bounds: { min: number; max: number }): number | undefined {
    const text = this.string(key, 40)
    if (text === undefined) return undefined
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : NaN
    if (!Number.isSafeInteger(value)) {
      throw invalidRequest(`Invalid integer: ${text}`, { code: 'parameter_invalid_integer', param: this.name(key) })
    }
    if (value < bounds.min) throw this.invalid(key, `This value must be greater than or equal to ${bounds.min}.`)
    if (value > bounds.max) throw this.invalid(key, `This value must be less than or equal to ${bounds.max}.`)
    return value
  }

  boolean(key: string): boolean | undefined {
    const value = this.choice(key, ['true', 'false'])
    return value === undefined ? undefined : value === 'true'
  }

  choice<T extends string>(key: string, allowed: readonly T[]): T | undefined {
    const value = this.string(key)
    if (value === undefined) return undefined
    const found = allowed.find((candidate) => candidate === value)
    if (found === undefined) throw this.invalid(key, `Invalid ${this.name(key)}: must be one of ${allowed.join(', ')}`)
    return found
  }

  /** Whether this parameter is a plain value, for parameters that may also be objects. */
  scalar(key: string): boolean {
    return typeof this.tree.get(key) === 'string'
  }

  object(key: string): Params | undefined {
    const value = this.take(key)
    if (value === undefined || value === '') return undefined
    if (typeof value === 'string') throw this.invalid(key, `Invalid object: ${this.name(key)}`)
    const child = new Params(value, this.name(key))
    this.children.push(child)
    return child
  }

  requiredObject(key: string): Params {
    return this.object(key) ?? this.missing(key)
  }

  list(key: string, maxItems = 100): Params[] {
    return this.items(key, maxItems).map(([index, value]) => {
      if (typeof value === 'string') throw this.invalid(key, `Invalid object: ${this.name(key)}[${index}]`)
      const child = new Params(value, `${this.name(key)}[${index}]`)
      this.children.push(child)
      return child
    })
  }

  strings(key: string, maxItems = 20): string[] {
    return this.items(key, maxItems).map(([index, value]) => {
      if (typeof value !== 'string' || value === '')
        throw this.invalid(key, `Invalid string: ${this.name(key)}[${index}]`)
      return value
    })
  }

  /** Up to 50 keys of 40 characters with values of 500; an empty value means "not set". */
  metadata(key: string): Metadata {
    const value = this.take(key)
    if (value === undefined || value === '') return {}
    if (typeof value === 'string') throw this.invalid(key, 'Invalid metadata: must be a hash of keys and values.')
    const entries: Array<[string, string]> = []
    for (const [name, text] of value) {
      if (typeof text !== 'string') throw this.invalid(key, `Invalid metadata: the value of ${name} must be a string.`)
      if (name.length > 40) throw this.invalid(key, 'Metadata keys must be at most 40 characters long.')
      if (text.length > 500)
        throw invalidRequest('Metadata values can have up to 500 characters.', { param: `${this.name(key)}[${name}]` })
      if (text !== '') entries.push([name, text])
    }
    if (entries.length > 50) throw this.invalid(key, 'You can have at most 50 keys in metadata.')
    return Object.fromEntries(entries)
  }

  /** @throws StripeApiError 400 when a parameter was not read */
  done(): void {
    for (const key of this.tree.keys()) {
      if (!this.read.has(key)) {
        throw invalidRequest(`Received unknown parameter: ${this.name(key)}`, {
          code: 'parameter_unknown',
          param: this.name(key)
        })
      }
    }
    this.children.forEach((child) => {
      child.done()
    })
  }

  invalid(key: string, message: string): StripeApiError {
    return invalidRequest(message, { param: this.name(key) })
  }

  missing(key: string): never {
    throw invalidRequest(`Missing required param: ${this.name(key)}.`, {
      code: 'parameter_missing',
      param: this.name(key)
    })
  }

  private take(key: string): FormValue | undefined {
    this.read.add(key)
    return this.tree.get(key)
  }

  private items(key: string, maxItems: number): Array<[string, FormValue]> {
    const value = this.take(key)
    if (value === undefined || value === '') return []
    if (typeof value === 'string') throw this.invalid(key, `Invalid array: ${this.name(key)}`)
    const items = [...value]
    if (items.some(([index]) => !/^\d{1,4}$/.test(index))) throw this.invalid(key, `Invalid array: ${this.name(key)}`)
    if (items.length > maxItems)
      throw this.invalid(key, `Array ${this.name(key)} exceeded maximum ${maxItems} allowed elements.`)
    return items.sort(([a], [b]) => Number(a) - Number(b))
  }
}
