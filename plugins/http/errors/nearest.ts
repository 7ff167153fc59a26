import leven from 'leven'

/** Longer names are not compared, since the time that a comparison takes grows with both lengths. */
const longestName = 64

/** `userId`, `user-id` and `USER_ID` mean the same. */
const bare = (name: string): string => name.toLowerCase().replaceAll(/[_-]/g, '')

/** How many letters may differ: none in very short names, up to three in long ones. */
const mostTypos = (name: string): number => Math.min(3, Math.floor(name.length / 3))

/** The shortest name that means a longer one which begins or ends with it, as `user` means `user_id`. */
const shortestPart = 4

const isPartOf = (part: string, whole: string): boolean =>
  part.length >= shortestPart && (whole.startsWith(part) || whole.endsWith(part))

/**
 * Counts the letters by which a name differs from another, without regard to case and separators; undefined when it is not a likely misspelling of it.
 * A name that is a part of the other counts like the most typos.
 */
export const typosBetween = (name: string, other: string): number | undefined => {
  if (name.length > longestName || other.length > longestName) return undefined
  const [one, two] = [bare(name), bare(other)]
  const most = mostTypos(one)
  const typos = leven(one, two, { maxDistance: most + 1 })
  if (typos <= most) return typos
  return isPartOf(one, two) || isPartOf(two, one) ? 3 : undefined
}

/** Returns the candidate that a misspelled name most likely means; undefined when none is near. */
export const nearestName = (name: string, candidates: readonly string[]): string | undefined => {
  let best: { candidate: string; typos: number } | undefined
  for (const candidate of candidates) {
    const typos = typosBetween(name, candidate)
    if (typos !== undefined && typos < (best?.typos ?? Infinity)) best = { candidate, typos }
  }
  return best?.candidate
}
