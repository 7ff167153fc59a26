/** A kind of error. The page `/errors/<slug>` shows it. */
export interface ProblemKind {
  status: number
  /** The stable snake_case code: `title` and `error` of the response. */
  code: string
  /** What the error means, in one or two sentences. */
  meaning: string
  /** What the caller can do. */
  cure: string
}

/** Additional members of a problem. They cannot replace the members that every problem has. */
export type ProblemMembers = Record<string, unknown> &
  Partial<Record<'type' | 'title' | 'status' | 'detail' | 'error' | 'requestId', never>>

/** An error for the client, without internal details. */
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

/** Every kind of error that this server can return, by slug. */
export const problemKinds: ReadonlyMap<string, ProblemKind> = kinds

const textAsGiven = (...[detail, members, headers]: TextArguments): ProblemText => ({ detail, members, headers })

interface ProblemDefinition<Arguments extends unknown[]> extends ProblemKind {
  /** Builds the text from the factory's arguments. By default the arguments are the text. */
  describe?: (...args: Arguments) => string | ProblemText
}

/**
 * Defines a kind of error and returns its factory: `throw notFound('There is no such item.')`.
 * @throws Error when another kind has the same code and a different status.
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
