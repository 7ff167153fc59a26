/**
 * Chooses a media type by the client's `Accept` header (RFC 9110, 12.5.1): the offered type with the highest quality; among equals, the first.
 * @returns undefined when the client accepts none of the offered types.
 */
export const prefers = <const Type extends string>(
  accept: string | undefined,
  offered: readonly Type[]
): Type | undefined => {
  const ranges = (accept ?? '*/*').split(',').map(readRange)
  let best: { type: Type; quality: number } | undefined
  for (const type of offered) {
    const quality = qualityOf(type, ranges)
    if (quality > (best?.quality ?? 0)) best = { type, quality }
  }
  return best?.type
}

interface Range {
  name: string
  quality: number
}

const readRange = (text: string): Range => {
  const [name = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
  return { name, quality: Number.isFinite(quality) ? quality : 0 }
}

/** The quality of the most specific range that covers the type. */
const qualityOf = (type: string, ranges: Range[]): number => {
  const covering = [type, `${type.split('/', 1)[0]}/*`, '*/*']
  for (const name of covering) {
    const range = ranges.find((candidate) => candidate.name === name)
    if (range !== undefined) return range.quality
  }
  return 0
}
