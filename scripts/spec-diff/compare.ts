import {
  operationsOf,
  type Content,
  type DocumentContent,
  type OperationObject,
  type Parameter
} from '../generate/model.ts'
import { compareSchemas, type Direction } from './schemas.ts'

/** One difference between two versions of the specification. */
export interface Change {
  /** Whether a client that was right before can be wrong now. */
  breaking: boolean
  /** Where, such as `GET /v1/transfers › 200 › items[].status`. */
  place: string
  what: string
}

export type Report = (breaking: boolean, place: string, what: string) => void

/** One version of the document, with a way to follow its references. */
export interface Side {
  document: DocumentContent
  resolve<Part extends { $ref?: string }>(part: Part): Part
}

const sideOf = (document: DocumentContent): Side => {
  const resolve = <Part extends { $ref?: string }>(part: Part): Part => {
    if (part.$ref === undefined) return part
    const keys = part.$ref
      .slice(2)
      .split('/')
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    return resolve(keys.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], document) as Part)
  }
  return { document, resolve }
}

interface Place {
  path: string
  operation: OperationObject
}

const operationsByName = ({ document }: Side): Map<string, Place> =>
  new Map(
    [...operationsOf(document.paths)].map(({ path, method, operation }) => [
      `${method.toUpperCase()} ${path}`,
      { path, operation }
    ])
  )

class Comparison {
  readonly changes: Change[] = []
  private readonly report: Report = (breaking, place, what) => void this.changes.push({ breaking, place, what })
  constructor(
    private readonly before: Side,
    private readonly after: Side
  ) {}

  run(): Change[] {
    const [old, now] = [operationsByName(this.before), operationsByName(this.after)]
    for (const [name, place] of old) {
      const current = now.get(name)
      if (current === undefined) this.report(true, name, 'the operation is gone')
      else this.compareOperations(name, place, current)
    }
    for (const name of now.keys()) if (!old.has(name)) this.report(false, name, 'the operation is new')
    this.compareEvents()
    return this.changes
  }

  /** Webhooks go the other way: what we send there is what the client reads. */
  private compareEvents(): void {
    const eventsOf = ({ document }: Side) =>
      new Map([...operationsOf(document.webhooks)].map(({ path, operation }) => [path, operation]))
    const [old, now] = [eventsOf(this.before), eventsOf(this.after)]
    for (const [name, before] of old) {
      const after = now.get(name)
      if (after === undefined) this.report(true, name, 'the event is gone')
      else this.compareContents(before.requestBody?.content, after.requestBody?.content, `${name} › body`, 'answer')
    }
    for (const name of now.keys()) if (!old.has(name)) this.report(false, name, 'the event is new')
  }

  private compareOperations(name: string, old: Place, now: Place): void {
    const [before, after] = [old.operation, now.operation]
    if (before.operationId !== after.operationId)
      this.report(true, name, `operationId was ${before.operationId} and is ${after.operationId}`)
    this.compareSecurity(name, before, after)
    this.compareParameters(name, this.parametersOf(this.before, old), this.parametersOf(this.after, now))
    this.compareBodies(name, before, after)
    this.compareAnswers(name, before, after)
  }

  private compareSecurity(name: string, before: OperationObject, after: OperationObject): void {
    const alternatives = ({ security }: OperationObject) =>
      security.length === 0 ? [''] : security.map((alternative) => Object.keys(alternative).sort().join(' + '))
    const admitted = alternatives(after)
    for (const alternative of admitted.includes('') ? [] : alternatives(before)) {
      if (!admitted.includes(alternative))
        this.report(
          true,
          name,
          alternative === '' ? 'a credential is now required' : `${alternative} is no longer admitted`
        )
    }
    const scopesOf = (operation: OperationObject) => (operation['x-required-scopes'] ?? []) as string[]
    for (const scope of scopesOf(after))
      if (!scopesOf(before).includes(scope)) this.report(true, name, `the scope ${scope} is now required`)
    for (const scope of scopesOf(before))
      if (!scopesOf(after).includes(scope)) this.report(false, name, `the scope ${scope} is no longer required`)
  }

  private parametersOf(side: Side, { path, operation }: Place): Map<string, Parameter> {
    const all = [...(side.document.paths?.[path]?.parameters ?? []), ...(operation.parameters ?? [])].map((parameter) =>
      side.resolve(parameter)
    )
    return new Map(all.map((parameter) => [`${parameter.in} ${parameter.name}`, parameter]))
  }

  private compareParameters(name: string, before: Map<string, Parameter>, after: Map<string, Parameter>): void {
    for (const [key, old] of before) {
      const now = after.get(key)
      if (now === undefined) this.report(true, name, `the parameter ${key} is gone`)
      else this.compareSchema(old.schema, now.schema, `${name} › ${key}`, 'request')
    }
    for (const [key, now] of after) {
      const old = before.get(key)
      if (now.required === true && old?.required !== true)
        this.report(true, name, `the parameter ${key} is now required`)
      else if (old === undefined) this.report(false, name, `the parameter ${key} is new`)
    }
  }

  private compareBodies(name: string, before: OperationObject, after: OperationObject): void {
    const old = before.requestBody === undefined ? undefined : this.before.resolve(before.requestBody)
    const now = after.requestBody === undefined ? undefined : this.after.resolve(after.requestBody)
    if (now?.required === true && old?.required !== true) this.report(true, name, 'a body is now required')
    if (old !== undefined && now === undefined) this.report(true, name, 'the body is gone')
    if (old !== undefined && now !== undefined)
      this.compareContents(old.content, now.content, `${name} › body`, 'request')
  }

  private compareAnswers(name: string, before: OperationObject, after: OperationObject): void {
    for (const [status, response] of Object.entries(before.responses)) {
      const current = after.responses[status]
      if (current === undefined) this.report(true, name, `the answer ${status} is gone`)
      else
        this.compareContents(
          this.before.resolve(response).content,
          this.after.resolve(current).content,
          `${name} › ${status}`,
          'answer'
        )
    }
    for (const status of Object.keys(after.responses))
      if (before.responses[status] === undefined) this.report(false, name, `the answer ${status} is new`)
  }

  private compareContents(before: Content = {}, after: Content = {}, place: string, direction: Direction): void {
    for (const [type, old] of Object.entries(before)) {
      const now = after[type]
      if (now === undefined) this.report(true, place, `the media type ${type} is gone`)
      else this.compareSchema(old.schema, now.schema, place, direction)
    }
    for (const type of Object.keys(after))
      if (before[type] === undefined) this.report(false, place, `the media type ${type} is new`)
  }

  private compareSchema(
    old: Parameter['schema'] = {},
    now: Parameter['schema'] = {},
    place: string,
    direction: Direction
  ): void {
    compareSchemas(old, now, place, {
      before: this.before,
      after: this.after,
      direction,
      report: this.report,
      seen: new Set()
    })
  }
}

/** Every difference that a client can notice between two bundled specifications, in the order of the earlier one. */
export const compareSpecifications = (before: DocumentContent, after: DocumentContent): Change[] =>
  new Comparison(sideOf(before), sideOf(after)).run()

/** Whether a version may break what the earlier one promised: its major number is higher or, before 1.0.0, its minor number. */
export const mayBreak = (before: string, after: string): boolean => {
  const [[oldMajor = 0, oldMinor = 0], [major = 0, minor = 0]] = [
    before.split('.').map(Number),
    after.split('.').map(Number)
  ] as [number[], number[]]
  return major > oldMajor || (major === 0 && oldMajor === 0 && minor > oldMinor)
}
