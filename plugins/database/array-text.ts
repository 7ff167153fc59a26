/** Characters that JSON escapes in a way that PostgreSQL does not support, such as a line break. */
const onlyInJson = /\\[^"\\]/

/**
 * Serializes a long array as a PostgreSQL array literal, such as `{"a",null,"b"}`. The literal is the JSON in braces, except for characters that JSON escapes
 * differently. An array with such a character is returned unchanged for the driver to serialize, which takes several times as long.
 */
export const arrayText = (values: (string | null)[]): string | (string | null)[] => {
  const text = JSON.stringify(values)
  return onlyInJson.test(text) ? values : `{${text.slice(1, -1)}}`
}
