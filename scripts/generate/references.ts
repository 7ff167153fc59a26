import { posix } from 'node:path'
import { isObject, type SpecDocument, type SpecFolder } from './model.ts'

/** Keys that hold data. A `$ref` inside them is not a reference. */
const dataKeys = new Set(['example', 'default', 'const', 'enum', 'value'])

/**
 * Rewrites references between documents to references inside the bundle, in place. A reference must point to a component
 * of the same document, of the root document or of spec/shared. Adds each invalid reference to `problems`.
 */
export const rewriteReferences = (spec: SpecFolder, problems: string[]): void => {
  const documents = new Map([spec.root, ...spec.groups, ...spec.shared].map((document) => [document.file, document]))
  for (const document of documents.values()) {
    walk(document.content, '#', (reference, place) => resolveReference(documents, document, reference, place, problems))
  }
}

const resolveReference = (
  documents: Map<string, SpecDocument>,
  from: SpecDocument,
  reference: string,
  place: string,
  problems: string[]
): string => {
  const [target = '', fragment = ''] = reference.split('#')
  const file = target === '' ? from.file : posix.join(posix.dirname(from.file), target)
  const document = documents.get(file)
  const report = (text: string) => problems.push(`${from.file}: ${place}: $ref '${reference}' ${text}`)
  if (document === undefined) {
    report(`is in ${file}, which does not exist. Known documents: ${[...documents.keys()].join(', ')}.`)
    return reference
  }
  const [, root, kind = '', name = ''] = fragment.split('/')
  const parts = document.content.components?.[kind]
  if (root !== 'components' || parts?.[name] === undefined) {
    const known = Object.keys(parts ?? {})
    report(
      `does not exist. Correct the name, or add the component to ${file}${known.length > 0 ? ` (it has ${known.join(', ')})` : ''}.`
    )
  } else if (document !== from && document.file !== 'openapi.yaml' && !document.file.startsWith('shared/')) {
    report(`is in another group. Move ${name} to a document in shared/.`)
  }
  return `#${fragment}`
}

const walk = (node: unknown, place: string, rewrite: (reference: string, place: string) => string): void => {
  if (Array.isArray(node)) {
    node.forEach((item, index) => walk(item, `${place}/${index}`, rewrite))
    return
  }
  if (!isObject(node)) return
  for (const [key, value] of Object.entries(node)) {
    const at = `${place}/${key}`
    if (key === '$ref' && typeof value === 'string') node[key] = rewrite(value, place)
    else if (key === 'discriminator' && isObject(value)) rewriteMapping(value, at, rewrite)
    // Under "properties", "example" or "default" is the name of a property.
    else if (!dataKeys.has(key) || place.endsWith('/properties')) walk(value, at, rewrite)
  }
}

const rewriteMapping = (
  discriminator: Record<string, unknown>,
  place: string,
  rewrite: (reference: string, place: string) => string
): void => {
  if (!isObject(discriminator['mapping'])) return
  for (const [value, target] of Object.entries(discriminator['mapping'])) {
    if (typeof target === 'string' && target.includes('#'))
      discriminator['mapping'][value] = rewrite(target, `${place}/mapping`)
  }
}
