/** What a kind of error is, in one place: its code, its status, what it means and the way out. `/errors/<slug>` shows it. */
export interface ProblemKind {
  status: number
  /** The stable snake_case code; `title` and `error` of the answer. */
  code: string
  /** What the error means, in a sentence or two for the page that explains it. */
  meaning: string
  /** What the caller can do about it. */
  cure: string
}

/** What an error tells beyond the members that every problem has, none of which may be written over. */
export type ProblemMembers = Record<string, unknown> &
  Partial<Record<'type' | 'title' | 'status' | 'detail' | 'error' | 'requestId', never>>

/** An error that the client may see: everything in it is meant for the client. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  constructor(
    readonly kind: ProblemKind,
    readonly detail: string,
    readonly members: ProblemMembers = {},
    readonly headers: Record<string, string> = {}
  ) {
    super(`${kind.code}: ${detail}`)
  }
}

interface ProblemText {
  detail: string
  members?: ProblemMembers | undefined
  headers?: Record<string, string> | undefined
}

type TextArguments = [detail: string, members?: ProblemMembers, headers?: Record<string, string>]

export type ProblemFactory<Arguments extends unknown[] = TextArguments> = ((...args: Arguments) => ProblemError) & {
  kind: ProblemKind
}

const kinds = new Map<string, ProblemKind>()

/** The part of a problem's `type` that names its page. */
export const slugOf = (code: string): string => code.replaceAll('_', '-')

/** Every kind of error that this server can answer, by slug. */
export const problemKinds: ReadonlyMap<string, ProblemKind> = kinds

const textAsGiven = (...[detail, members, headers]: TextArguments): ProblemText => ({ detail, members, headers })

interface ProblemDefinition<Arguments extends unknown[]> extends ProblemKind {
  /** Builds the text from the factory's arguments; without it the factory takes the text itself. */
  describe?: (...args: Arguments) => string | ProblemText
}

/**
 * Defines a kind of error and returns its factory: `throw notFound('There is no such item.')`.
 * @throws Error when two kinds have one code and different statuses
 */
export const defineProblem = <Arguments extends unknown[] = TextArguments>({
  describe = textAsGiven as unknown as (...args: Arguments) => ProblemText,
  ...kind
}: ProblemDefinition<Arguments>): ProblemFactory<Arguments> => {
  const known = kinds.get(slugOf(kind.code))
  if (known !== undefined && known.status !== kind.status)
    throw new Error(`The error code ${kind.code} is defined twice with different statuses.`)
  kinds.set(slugOf(kind.code), kind)
  const factory = (...args: Arguments) => {
    const text = describe(...args)
    if (typeof text === 'string') return new ProblemError(kind, text)
    return new ProblemError(kind, text.detail, text.members, text.headers)
  }
  return Object.assign(factory, { kind })
}
