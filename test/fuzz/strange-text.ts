import fc from 'fast-check'

/** Part of every text that the first tenant writes. No other tenant may ever read it. */
export const canary = 'zq9canary'

const valid = [
  '𝔘𝔫𝔦𝔠𝔬𝔡𝔢',
  'مرحبا‮abc',
  'e\u0301\u0323\u0323',
  '👩‍👩‍👧‍👦🏳️‍🌈',
  '\u200b',
  ' ',
  '\t\r\n',
  'ﷺ',
  'İıſ',
  '0',
  'null',
  '-0',
  'true',
  '%',
  '\\',
  '"',
  '\u007f',
  '\ufeff',
  '\u2028'
]

/** Fragments of attacks, which the server must treat as ordinary text. */
export const attacks = [
  "' OR 1=1; drop table partners; --",
  '<script>alert(1)</script>',
  '${7*7}{{7*7}}',
  '../../../../etc/passwd',
  '%00%0a%0d',
  '\r\nSet-Cookie: a=b',
  'javascript:alert(1)',
  'file:///etc/passwd',
  '__proto__',
  'constructor',
  '\u001b[31mlog\u001b[0m',
  '$(id)',
  '1e308',
  'NaN',
  'toString'
]

/** Text that no field can store: NUL, halves of surrogate pairs. */
export const broken = ['a\u0000b', '\u0000', '\ud800', 'x\udfff', '\udc00\ud800']

const cut = (text: string, length: number): string => {
  // By code points, as in the specification.
  const points = [...text]
  return points.slice(0, length).join('')
}

/** Any Unicode text of `min` to `max` code points, most often at the bounds. */
export const strangeText = (min: number, max: number): fc.Arbitrary<string> => {
  const longest = Math.min(max, 3000)
  const length = fc.constantFrom(
    ...new Set([min, Math.min(min + 1, longest), longest, Math.min(24, longest)].filter((size) => size >= min))
  )
  return fc
    .tuple(fc.constantFrom(...valid, ...attacks), length, fc.string({ unit: 'grapheme', maxLength: 12 }))
    .map(([start, size, rest]) => {
      const seed = `${start}${rest}x`
      return cut(seed.repeat(Math.ceil(size / [...seed].length) + 1), size)
    })
}
