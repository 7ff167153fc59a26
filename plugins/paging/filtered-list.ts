/**
 * The name of a list under the filters of a request, for its cursors: a cursor continues only the list under whose filters it was made, because with others it would skip
 * rows or repeat them.
 */
export const filteredList = (name: string, filters: Readonly<Record<string, string | number | undefined>>): string => {
  const given = Object.entries(filters).filter(([, value]) => value !== undefined)
  return given.length === 0 ? name : `${name} ${JSON.stringify(given.sort(([a], [b]) => (a < b ? -1 : 1)))}`
}
