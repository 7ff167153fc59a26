/** A token bucket: it holds `capacity` tokens and regains `limit` of them in each `windowMs`. */
export interface BucketSize {
  limit: number
  capacity: number
  windowMs: number
}

export interface BucketState {
  tokens: number
  /** When `tokens` was true, in epoch milliseconds. */
  atMs: number
}

export interface Taken {
  allowed: boolean
  /** Whole tokens left. */
  remaining: number
  /** Milliseconds until the bucket is full again. */
  fullInMs: number
  /** Milliseconds until one token is there; 0 when there is one now. */
  nextInMs: number
}

/** What an outcome looks like for a bucket with `tokens` left after the try. */
export const describe = (tokens: number, allowed: boolean, size: BucketSize): Taken => {
  const perMs = size.limit / size.windowMs
  const wait = (missing: number): number =>
    missing <= 0 ? 0 : perMs === 0 ? size.windowMs : Math.ceil(missing / perMs)
  return {
    allowed,
    remaining: Math.max(0, Math.floor(tokens)),
    fullInMs: wait(size.capacity - tokens),
    nextInMs: wait(1 - tokens)
  }
}

/** Takes one token if there is one, after what has flowed in since the bucket was last seen. */
export const takeToken = (
  state: BucketState | undefined,
  size: BucketSize,
  nowMs: number
): { state: BucketState; taken: Taken } => {
  const before = state ?? { tokens: size.capacity, atMs: nowMs }
  // A clock that was set back must not drain a bucket.
  const flowed = (Math.max(0, nowMs - before.atMs) * size.limit) / size.windowMs
  const filled = Math.min(size.capacity, before.tokens + flowed)
  const allowed = filled >= 1
  const tokens = allowed ? filled - 1 : filled
  return { state: { tokens, atMs: nowMs }, taken: describe(tokens, allowed, size) }
}
