/** The lower-case words of a text without accents and apostrophes: `Miete März` has the words `miete` and `marz`. */
export const wordsOf = (text: string): string[] =>
  text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f'’]/g, '')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')

/** A set of words from a list with spaces. */
export const wordSet = (...lists: string[]): Set<string> => new Set(lists.flatMap((list) => list.split(' ')))
