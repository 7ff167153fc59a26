/** Words in bank descriptions that vary or do not identify the merchant. */
const wrappingWords = new Set(
  (
    'ach pos debit credit card purchase payment pymt pmt paymnt edi ppd id web tel ccd des indn co inc llc corp ltd recurring autopay ' +
    'auto pay online ref conf confirmation trace no number transaction txn com www http https the xx xxx ' +
    'jan feb mar apr jun jul aug sep sept oct nov dec january february march april june july august september october november december'
  ).split(' ')
)
const maxNameWords = 4

/**
 * The stable part of a bank description: lower-case words without digits, references, months and banking terms. `NETFLIX.COM 866-579`
 * and `Netflix.com 12/03` both become `netflix`. When nothing is left, all words are kept.
 */
export const merchantName = (description: string): string => {
  const plain = description
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/['’]/g, '')
  const words = plain.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '' && !/\p{N}/u.test(word))
  const significant = words.filter((word) => !wrappingWords.has(word))
  const kept = significant.length > 0 ? significant : words
  return kept.slice(0, maxNameWords).join(' ') || plain.trim()
}
