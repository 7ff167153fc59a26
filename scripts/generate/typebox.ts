import { objectKeywords, rejectUnknownKeywords, structuralKeywords } from './keywords.ts'
import { SpecError, referenceName, type Schema } from './model.ts'
import { bracket, call, literal, propertyKey, quote } from './print.ts'
import { constraints, type Schemas } from './schemas.ts'
import { staticType } from './static-type.ts'

/** Prints schemas as TypeBox expressions, and collects the imports that they need. */
export class TypeBoxPrinter {
  /** Names of the components in use. */
  readonly components = new Set<string>()
  /** Names of the helpers in use from schema-kit.ts. */
  readonly kit = new Set<string>()
  usesTypeBox = false

  constructor(private readonly schemas: Schemas) {}

  /**
   * @param where location of the schema, for messages
   * @param alternative whether the schema is an alternative of a union. ajv ignores defaults there, so they are rejected.
   */
  expression(given: Schema | boolean | undefined, where: string, alternative = false): string {
    if (given === undefined || given === true) return this.type('Unknown')
    if (given === false) return this.type('Never')
    const schema = constraints(given)
    const { $ref, ...siblings } = schema
    if ($ref !== undefined && Object.keys(siblings).length === 0)
      return this.reference(referenceName($ref), where, alternative)
    const plain = this.schemas.plain(schema)
    rejectUnknownKeywords(plain, where)
    if (plain.allOf) return this.type('Intersect', this.list(plain.allOf, where, alternative), this.options(plain))
    if (isUnion(plain)) return this.union(plain, where)
    if (Array.isArray(plain.type)) return this.multiple(plain, plain.type, where, alternative)
    if (plain.const !== undefined) {
      return plain.const === null ? this.type('Null') : this.type('Literal', literal(plain.const), this.options(plain))
    }
    if (plain.enum) return this.enumeration(plain, plain.enum)
    return this.ofType(plain, where, alternative)
  }

  /** The schema or null. */
  nullable(schema: Schema, where: string, alternative = false): string {
    const plain = this.schemas.plain(schema)
    const recursive = schema.$ref !== undefined && this.schemas.recursive.has(referenceName(schema.$ref))
    if (typeof plain.type === 'string' && plain.const === undefined && !recursive) {
      return this.fromKit('Nullable', this.expression(schema, where, alternative))
    }
    return this.type('Union', bracket('[', [this.expression(schema, where, true), this.type('Null')], ']'))
  }

  /** An object schema. Properties with a default are not optional, because ajv fills them in. */
  object(plain: Schema, where: string, alternative: boolean): string {
    const members = Object.entries(plain.properties ?? {}).map(([key, property]) => {
      const at = `${where}.${key}`
      const hasDefault = this.schemas.plain(property).default !== undefined
      if (hasDefault && alternative) {
        throw new SpecError([
          `${at}: validation ignores a default inside oneOf or anyOf. Remove it, or merge the alternatives into one object.`
        ])
      }
      const expression = this.expression(property, at, alternative)
      const present = hasDefault || plain.required?.includes(key) === true
      return `${propertyKey(key)}: ${present ? expression : this.type('Optional', expression)}`
    })
    for (const key of plain.required ?? []) {
      if (plain.properties?.[key] === undefined)
        throw new SpecError([`${where}: '${key}' is required but not among the properties. Describe it.`])
    }
    return this.freeObject(plain, members, where, alternative)
  }

  private freeObject(plain: Schema, members: string[], where: string, alternative: boolean): string {
    const { additionalProperties: others, ...rest } = plain
    if (members.length === 0 && others !== false) {
      const values = this.expression(others, `${where}.*`, alternative)
      return this.fromKit('Dictionary', values, this.options(rest, objectKeywords))
    }
    const isOpen = others === true || typeof others === 'object'
    const object = this.type('Object', bracket('{', members, '}'), this.options(isOpen ? rest : plain, objectKeywords))
    return isOpen ? this.fromKit('Open', object) : object
  }

  private reference(name: string, where: string, alternative: boolean): string {
    this.components.add(name)
    if (this.schemas.recursive.has(name)) return this.fromKit(`Ref<${name}>`, quote(name))
    // Printed only for its checks: an alternative must not contain defaults.
    if (alternative) new TypeBoxPrinter(this.schemas).expression(this.schemas.get(name), `${where} (${name})`, true)
    return name
  }

  private union(plain: Schema, where: string): string {
    const { oneOf, anyOf, ...own } = plain
    const members = (oneOf ?? anyOf ?? []).filter((member) => member.type !== 'null')
    const hasNull = members.length < (oneOf ?? anyOf ?? []).length
    const [only] = members
    if (members.length === 1 && only) {
      const whole = own.properties ? { ...own, allOf: [only] } : only
      return hasNull ? this.nullable(whole, where) : this.expression(whole, where)
    }
    const list = bracket(
      '[',
      [
        ...members.map((member, index) => this.expression(member, `${where}[${index}]`, true)),
        ...(hasNull ? [this.type('Null')] : [])
      ],
      ']'
    )
    // With a discriminator, ajv skips oneOf for values that are not objects. Without the type they would be valid.
    const discriminator =
      oneOf && own.discriminator
        ? { type: 'object', discriminator: { propertyName: own.discriminator.propertyName } }
        : {}
    const options = this.options({ ...own, ...discriminator }, [
      'properties',
      'required',
      'additionalProperties',
      ...(discriminator.type ? [] : ['type'])
    ])
    const union = oneOf ? this.fromKit('OneOf', list, options) : this.type('Union', list, options)
    if (own.properties === undefined) return union
    return this.type('Intersect', bracket('[', [this.object({ type: 'object', ...own }, where, false), union], ']'))
  }

  private multiple(plain: Schema, types: string[], where: string, alternative: boolean): string {
    const others = types.filter((type) => type !== 'null')
    const [only] = others
    if (others.length === 1 && only !== undefined) {
      const bare: Schema = {
        ...plain,
        type: only,
        ...(plain.enum ? { enum: plain.enum.filter((value) => value !== null) } : {})
      }
      return types.length === 1 ? this.expression(bare, where, alternative) : this.nullable(bare, where, alternative)
    }
    return this.unsafe(plain, plain)
  }

  private enumeration(plain: Schema, values: unknown[]): string {
    if (!values.every((value) => typeof value === 'string')) return this.unsafe(plain, plain)
    return this.fromKit('StringEnum', literal(values), this.options(plain))
  }

  private unsafe(typed: Schema, schema: Schema): string {
    return this.type(`Unsafe<${staticType(typed, this.schemas, (name) => this.components.add(name))}>`, literal(schema))
  }

  private ofType(plain: Schema, where: string, alternative: boolean): string {
    switch (plain.type) {
      case 'string':
        return this.type('String', this.options(plain))
      case 'integer':
        return this.type('Integer', this.options(plain))
      case 'number':
        return this.type('Number', this.options(plain))
      case 'boolean':
        return this.type('Boolean', this.options(plain))
      case 'null':
        return this.type('Null')
      case 'array':
        return this.type('Array', this.expression(plain.items, `${where}[]`, alternative), this.options(plain))
      case 'object':
        return this.object(plain, where, alternative)
      case undefined:
        return this.untyped(plain, where, alternative)
      default:
        throw new SpecError([`${where}: type '${String(plain.type)}' does not exist. Use a type of JSON Schema.`])
    }
  }

  private untyped(plain: Schema, where: string, alternative: boolean): string {
    if (plain.properties) return this.object({ ...plain, type: 'object' }, where, alternative)
    const keywords = Object.keys(plain).filter((keyword) => keyword !== 'default')
    if (keywords.length > 0) throw new SpecError([`${where}: ${keywords.join(', ')} without a type. Add the type.`])
    return this.type('Unknown')
  }

  /** The keywords as an options argument, without those that the expression itself states. */
  private options(plain: Schema, structure: readonly string[] = structuralKeywords): string | undefined {
    const kept = Object.entries(plain).filter(([keyword]) => !structure.includes(keyword))
    return kept.length > 0 ? literal(Object.fromEntries(kept)) : undefined
  }

  private list(members: Schema[], where: string, alternative: boolean): string {
    return bracket(
      '[',
      members.map((member, index) => this.expression(member, `${where}[${index}]`, alternative)),
      ']'
    )
  }

  private type(name: string, ...given: (string | undefined)[]): string {
    this.usesTypeBox = true
    return call(`Type.${name}`, ...given)
  }

  private fromKit(name: string, ...given: (string | undefined)[]): string {
    this.kit.add(name.replace(/<.*/, ''))
    return call(name, ...given)
  }
}

/** Whether the alternatives are schemas of their own. Those that only require members stay keywords of the object. */
const isUnion = ({ oneOf, anyOf, properties }: Schema): boolean => {
  const members = oneOf ?? anyOf
  if (members === undefined) return false
  return !(
    properties &&
    members.every((member) =>
      Object.keys(constraints(member)).every((keyword) => keyword === 'required' || keyword === 'not')
    )
  )
}
