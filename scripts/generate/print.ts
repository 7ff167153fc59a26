const WIDTH = 130

/** Joins items between brackets: on one line when they fit, else one a line, indented by two. */
export function bracket(open: string, items: readonly string[], close: string): string {
  if (items.length === 0) return open.trimEnd() + close.trimStart()
  const padding = open.endsWith('{') ? ' ' : ''
  const line = `${open}${padding}${items.join(', ')}${padding}${close}`
  if (line.length <= WIDTH && !line.includes('\n')) return line
  return `${open}\n${items.map((item) => indent(item)).join(',\n')}\n${close}`
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')
}

/** A call; undefined arguments are left out. Brackets of an argument hug the call's own, so that nesting costs one level. */
export function call(name: string, ...given: (string | undefined)[]): string {
  return `${name}(${given.filter((item) => item !== undefined).join(', ')})`
}

/** A value as TypeScript source, with single quotes and bare keys. */
export function literal(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  if (Array.isArray(value)) return bracket('[', value.map(literal), ']')
  if (typeof value === 'object' && value !== null) {
    return bracket(
      '{',
      Object.entries(value).map(([key, item]) => `${propertyKey(key)}: ${literal(item)}`),
      '}'
    )
  }
  return String(value)
}

export function quote(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

export function propertyKey(key: string): string {
  return /^([A-Za-z_$][\w$]*|[1-9]\d*)$/.test(key) ? key : quote(key)
}
