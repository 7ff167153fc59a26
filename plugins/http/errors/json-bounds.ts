/** How many levels deep objects and arrays of a body may be nested. */
export const mostLevels = 32

/** How many values a body may have on all levels together. The time that parsing takes depends more on their number than on their length. */
export const mostValues = 25_000

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c]
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * Why JSON must not be parsed: it is nested too deeply or has too many values. Counts brackets and commas outside of texts; whether they are in their places is for the
 * parser to find out.
 */
export const boundFaultOf = (json: string): string | undefined => {
  let [depth, values] = [0, 1]
  let isInText = false
  for (let index = 0; index < json.length; index++) {
    const code = json.charCodeAt(index)
    if (isInText && code === backslash) index += 1
    else if (code === quote) isInText = !isInText
    else if (isInText) continue
    else if (code === openArray || code === openObject) {
      depth += 1
      values += 1
    } else if (code === closeArray || code === closeObject) depth -= 1
    else if (code === comma) values += 1
    if (depth > mostLevels) return `must not be nested more than ${mostLevels} levels deep`
    if (values > mostValues) return `must not have more than ${mostValues} values`
  }
  return undefined
}
