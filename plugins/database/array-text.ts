/** What JSON writes with a backslash and PostgreSQL would read without it, such as a line break. */
const onlyInJson = /\\[^"\\]/

/**
 * A long array of texts, or of what PostgreSQL reads from texts, in PostgreSQL's own notation, such as `{"a",null,"b"}`, for a parameter of an array type. The
 * notation is that of JSON in braces, but for characters that JSON escapes in ways of its own; an array with such a character is returned as it is, for the driver
 * to write, which takes several times as long.
 */
export const arrayText = (values: (string | null)[]): string | (string | null)[] => {
  const text = JSON.stringify(values)
  return onlyInJson.test(text) ? values : `{${text.slice(1, -1)}}`
}
