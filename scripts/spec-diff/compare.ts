import {
  operationsOf,
  type Content,
  type DocumentContent,
  type OperationObject,
  type Parameter
} from '../generate/model.ts'
import { resolve } from '../generate/resolve.ts'
import type { Change, Comparison, Side } from './comparison.ts'
import { compareSchemas, type Direction } from './schemas.ts'

interface Place {
  path: string
  operation: OperationObject
}

const compareContents = (
  before: Content = {},
  after: Content = {},
  place: string,
  direction: Direction,
  comparison: Comparison
): void => {
  for (const [type, old] of Object.entries(before)) {
    const now = after[type]
    if (now === undefined) comparison.report(true, place, `the media type ${type} was removed`)
    else compareSchemas(old.schema, now.schema, place, { ...comparison, direction, seen: new Set() })
  }
  for (const type of Object.keys(after))
    if (before[type] === undefined) comparison.report(false, place, `the media type ${type} was added`)
}

const compareSecurity = (
  name: string,
  before: OperationObject,
  after: OperationObject,
  { report }: Comparison
): void => {
  const alternatives = ({ security }: OperationObject) =>
    security.length === 0 ? [''] : security.map((alternative) => Object.keys(alternative).sort().join(' + '))
  const accepted = alternatives(after)
  for (const alternative of accepted.includes('') ? [] : alternatives(before)) {
    if (accepted.includes(alternative)) continue
    report(true, name, alternative === '' ? 'a credential is now required' : `${alternative} is no longer accepted`)
  }
  const [oldScopes, newScopes] = [before, after].map((item) => (item['x-required-scopes'] ?? []) as string[])
  for (const scope of newScopes ?? [])
    if (oldScopes?.includes(scope) !== true) report(true, name, `the scope ${scope} is now required`)
  for (const scope of oldScopes ?? [])
    if (newScopes?.includes(scope) !== true) report(false, name, `the scope ${scope} is no longer required`)
}

const parametersOf = (side: Side, { path, operation }: Place): Map<string, Parameter> => {
  const parameters = [...(side.document.paths?.[path]?.parameters ?? []), ...(operation.parameters ?? [])]
  return new Map(
    parameters.map((given) => resolve(side, given)).map((parameter) => [`${parameter.in} ${parameter.name}`, parameter])
  )
}

const compareParameters = (name: string, old: Place, now: Place, comparison: Comparison): void => {
  const { report } = comparison
  const before = parametersOf(comparison.before, old)
  const after = parametersOf(comparison.after, now)
  for (const [key, { schema }] of before) {
    const current = after.get(key)
    if (current === undefined) report(true, name, `the parameter ${key} was removed`)
    else {
      const place = `${name} › ${key}`
      compareSchemas(schema, current.schema, place, { ...comparison, direction: 'request', seen: new Set() })
    }
  }
  for (const [key, { required }] of after) {
    const earlier = before.get(key)
    if (required === true && earlier?.required !== true) report(true, name, `the parameter ${key} is now required`)
    else if (earlier === undefined) report(false, name, `the parameter ${key} was added`)
  }
}

const compareBodies = (name: string, before: OperationObject, after: OperationObject, comparison: Comparison): void => {
  const { report } = comparison
  const old = before.requestBody && resolve(comparison.before, before.requestBody)
  const now = after.requestBody && resolve(comparison.after, after.requestBody)
  if (now?.required === true && old?.required !== true) report(true, name, 'a body is now required')
  if (old !== undefined && now === undefined) report(true, name, 'the body was removed')
  if (old !== undefined && now !== undefined)
    compareContents(old.content, now.content, `${name} › body`, 'request', comparison)
}

const compareResponses = (
  name: string,
  before: OperationObject,
  after: OperationObject,
  comparison: Comparison
): void => {
  for (const [status, response] of Object.entries(before.responses)) {
    const current = after.responses[status]
    if (current === undefined) {
      comparison.report(true, name, `the response ${status} was removed`)
      continue
    }
    const [old, now] = [resolve(comparison.before, response), resolve(comparison.after, current)]
    compareContents(old.content, now.content, `${name} › ${status}`, 'response', comparison)
  }
  for (const status of Object.keys(after.responses))
    if (before.responses[status] === undefined) comparison.report(false, name, `the response ${status} was added`)
}

const compareOperations = (name: string, old: Place, now: Place, comparison: Comparison): void => {
  const [before, after] = [old.operation, now.operation]
  if (before.operationId !== after.operationId)
    comparison.report(true, name, `operationId changed from ${before.operationId} to ${after.operationId}`)
  compareSecurity(name, before, after, comparison)
  compareParameters(name, old, now, comparison)
  compareBodies(name, before, after, comparison)
  compareResponses(name, before, after, comparison)
}

const operationsByName = ({ document }: Side): Map<string, Place> =>
  new Map(
    [...operationsOf(document.paths)].map(({ path, method, operation }) => [
      `${method.toUpperCase()} ${path}`,
      { path, operation }
    ])
  )

const eventsByName = ({ document }: Side): Map<string, OperationObject> =>
  new Map([...operationsOf(document.webhooks)].map(({ path, operation }) => [path, operation]))

/** Every difference that a client can notice between two bundled specifications, in the order of the earlier one. */
export const compareSpecifications = (before: DocumentContent, after: DocumentContent): Change[] => {
  const changes: Change[] = []
  const comparison: Comparison = {
    before: { document: before },
    after: { document: after },
    report: (breaking, place, what) => void changes.push({ breaking, place, what })
  }
  const comparePlaces = <Part>(
    kind: string,
    read: (side: Side) => Map<string, Part>,
    compare: (name: string, old: Part, now: Part) => void
  ): void => {
    const [old, now] = [read(comparison.before), read(comparison.after)]
    for (const [name, part] of old) {
      const current = now.get(name)
      if (current === undefined) comparison.report(true, name, `the ${kind} was removed`)
      else compare(name, part, current)
    }
    for (const name of now.keys()) if (!old.has(name)) comparison.report(false, name, `the ${kind} was added`)
  }
  comparePlaces('operation', operationsByName, (name, old, now) => compareOperations(name, old, now, comparison))
  // The server sends the body of a webhook, so clients read it like a response.
  comparePlaces('event', eventsByName, (name, old, now) =>
    compareContents(old.requestBody?.content, now.requestBody?.content, `${name} › body`, 'response', comparison)
  )
  return changes
}

/** Whether the version number allows breaking changes: a new major version or, before 1.0.0, a new minor version. */
export const mayBreak = (before: string, after: string): boolean => {
  const [[oldMajor = 0, oldMinor = 0], [major = 0, minor = 0]] = [
    before.split('.').map(Number),
    after.split('.').map(Number)
  ] as [number[], number[]]
  return major > oldMajor || (major === 0 && oldMajor === 0 && minor > oldMinor)
}
