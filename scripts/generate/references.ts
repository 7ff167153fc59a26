import { posix } from 'node:path'
import type { SpecDocument, SpecFolder } from './model.ts'
import { isObject } from './model.ts'

/** Holds data, not structure: what looks like a reference there is none. */
const DATA_KEYS = new Set(['example', 'default', 'const', 'enum', 'value'])

/**
 * Turns references between documents into references inside the bundle, in place. A reference must lead to a component
 * of the same document, of the root or of spec/shared; what fails that is added to `problems`.
 */
export function rewriteReferences(spec: SpecFolder, problems: string[]): void {
  const documents = new Map([spec.root, ...spec.groups, ...spec.shared].map((document) => [document.file, document]))
  for (const document of documents.values()) {
    walk(document.content, '#', (reference, place) => resolveReference(documents, document, reference, place, problems))
  }
}

function resolveReference(
  documents: Map<string, SpecDocument>,
  from: SpecDocument,
  reference: string,
  place: string,
  problems: string[]
): string {
  const [target = '', fragment = ''] = reference.split('#')
  const file = target === '' ? from.file : posix.join(posix.dirname(from.file), target)
  const document = documents.get(file)
  const say = (cure: string) => problems.push(`${from.file}: ${place}: $ref '${reference}' ${cure}`)
  if (document === undefined) {
    say(`names the document ${file}, which does not exist; there are ${[...documents.keys()].join(', ')}.`)
    return reference
  }
  const [, root, kind = '', name = ''] = fragment.split('/')
  const parts = document.content.components?.[kind]
  if (root !== 'components' || parts?.[name] === undefined) {
    const known = Object.keys(parts ?? {})
    say(
      `leads nowhere; correct the name or add the component to ${file}${known.length > 0 ? ` (it has ${known.join(', ')})` : ''}.`
    )
  } else if (document !== from && document.file !== 'openapi.yaml' && !document.file.startsWith('shared/')) {
    say(`reaches into another group; move ${name} to a document in shared/.`)
  }
  return `#${fragment}`
}

function walk(node: unknown, place: string, rewrite: (reference: string, place: string) => string): void {
  if (Array.isArray(node)) {
    node.forEach((item, index) => walk(item, `${place}/${index}`, rewrite))
    return
  }
  if (!isObject(node)) return
  for (const [key, value] of Object.entries(node)) {
    const at = `${place}/${key}`
    if (key === '$ref' && typeof value === 'string') node[key] = rewrite(value, place)
    else if (key === 'discriminator' && isObject(value)) rewriteMapping(value, at, rewrite)
    // A property may be called "example" or "default"; only under "properties" is it structure.
    else if (!DATA_KEYS.has(key) || place.endsWith('/properties')) walk(value, at, rewrite)
  }
}

function rewriteMapping(
  discriminator: Record<string, unknown>,
  place: string,
  rewrite: (reference: string, place: string) => string
): void {
  if (!isObject(discriminator['mapping'])) return
  for (const [value, target] of Object.entries(discriminator['mapping'])) {
    if (typeof target === 'string' && target.includes('#'))
      discriminator['mapping'][value] = rewrite(target, `${place}/mapping`)
  }
}
