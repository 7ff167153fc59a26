/** Words that banks wrap around a name and that change, or say nothing about who is paid. */
const WRAPPING = new Set(
  (
    'ach pos debit credit card purchase payment pymt pmt paymnt edi ppd id web tel ccd des indn co inc llc corp ltd recurring autopay ' +
    'auto pay online ref conf confirmation trace no number transaction txn com www http https the xx xxx ' +
    'jan feb mar apr jun jul aug sep sept oct nov dec january february march april june july august september october november december'
  ).split(' ')
)
const LONGEST_NAME_WORDS = 4

/**
 * The part of a bank's description that stays the same from one booking to the next: lower-case words without digits, references,
 * months and banking words. `NETFLIX.COM 866-579` and `Netflix.com 12/03` are both `netflix`. When nothing is left, the letters are kept.
 */
export function merchantName(description: string): string {
  const plain = description
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/['’]/g, '')
  const words = plain.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '' && !/\p{N}/u.test(word))
  const telling = words.filter((word) => !WRAPPING.has(word))
  const kept = telling.length > 0 ? telling : words
  return kept.slice(0, LONGEST_NAME_WORDS).join(' ') || plain.trim()
}
