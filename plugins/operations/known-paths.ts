import { allOperations } from '../../spec/generated/index.ts'
import { typosBetween } from '../http/errors/nearest.ts'
import type { Operation } from './table.ts'

/** Longer paths get no suggestion, so that a request cannot make the server compare much text. */
const longestPath = 256
const mostSegments = 10

/** Segments at the beginning of a path that callers often leave out or invent. */
const prefix = /^(api|v\d{1,2})$/

interface Shape {
  prefixes: string[]
  rest: string[]
}

const shapeOf = (path: string): Shape => {
  const segments = path.toLowerCase().split('/').filter(Boolean)
  const start = segments.findIndex((segment) => !prefix.test(segment))
  const length = start === -1 ? segments.length : start
  return { prefixes: segments.slice(0, length), rest: segments.slice(length) }
}

const paths = [...new Set(Object.values<Operation>(allOperations).map(({ path }) => path)), '/mcp']
const shapes = paths.map((path) => ({ path, shape: shapeOf(path) }))

const isParameter = (segment: string): boolean => segment.startsWith('{')

/** Prefixes that lack one of the other's are more alike than those that contradict it: `/api/v1` is like `/v1`, and `/v1` unlike `/v2`. */
const unlikenessOfPrefixes = ({ prefixes: given }: Shape, { prefixes: known }: Shape): number => {
  if (given.join('/') === known.join('/')) return 0
  const isPart = given.every((one) => known.includes(one)) || known.every((one) => given.includes(one))
  return isPart ? 1 : 3
}

/** How many words at the beginning a path may lack, such as `auth` in `/login`. */
const mostOmitted = 1

/** How unlike two paths are: by omitted words, typos, other prefixes, and parameters in place of the right words. Undefined when they are not alike. */
const unlikeness = (given: Shape, known: Shape): number | undefined => {
  const omitted = known.rest.length - given.rest.length
  const rest = known.rest.slice(omitted)
  if (omitted < 0 || omitted > mostOmitted || (omitted > 0 && isParameter(rest[0] ?? ''))) return undefined
  let sum = unlikenessOfPrefixes(given, known) + 4 * omitted
  for (const [index, segment] of given.rest.entries()) {
    const other = rest[index] ?? ''
    const typos = isParameter(other) ? 1 : typosBetween(segment, other)
    if (typos === undefined || (omitted > 0 && typos > 0)) return undefined
    sum += isParameter(other) ? 1 : 2 * typos
  }
  return sum
}

/**
 * Returns the path of the specification that a wrong path most likely means, such as `/v1/accounts` for `/accounts/`; undefined when none is near. The
 * result has no text of the request: its parameters are the names in the specification.
 */
export const nearestPath = (path: string): string | undefined => {
  if (path.length > longestPath) return undefined
  const given = shapeOf(path)
  if (given.rest.length === 0 || given.rest.length > mostSegments) return undefined
  let best: { path: string; unlike: number } | undefined
  for (const { path: candidate, shape } of shapes) {
    const unlike = unlikeness(given, shape)
    if (unlike !== undefined && unlike < (best?.unlike ?? Infinity)) best = { path: candidate, unlike }
  }
  return best?.path
}
