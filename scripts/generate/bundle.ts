import { checkDocument } from './check.ts'
import { expandCommon } from './expand-common.ts'
import {
  SpecError,
  isObject,
  operationsOf,
  type Bundle,
  type Components,
  type PathItem,
  type SpecDocument,
  type SpecFolder
} from './model.ts'
import { rewriteReferences } from './references.ts'
import { addCodeSamples } from './samples/index.ts'

interface Merged extends Pick<Bundle, 'owners' | 'groupOf'> {
  paths: Record<string, PathItem>
  webhooks: Record<string, PathItem>
  components: Components
}

const applyDefaults = ({ content }: SpecDocument): void => {
  for (const { operation } of operationsOf(content.paths)) {
    if (content.security !== undefined) operation.security ??= structuredClone(content.security)
    if (content['x-ratelimit-class'] !== undefined) operation['x-ratelimit-class'] ??= content['x-ratelimit-class']
  }
}

/** The rank of a tag without an `x-order`. */
const usualRank = 50

const rankOf = ({ content }: SpecDocument): number => content.tags?.[0]?.['x-order'] ?? usualRank

const nameOf = ({ name, content }: SpecDocument): string => content.tags?.[0]?.name ?? name

/** The documents in the order in which the reference shows their tags: by `x-order`, then by name. */
const inOrder = (groups: SpecDocument[]): SpecDocument[] =>
  groups.toSorted((a, b) => rankOf(a) - rankOf(b) || nameOf(a).localeCompare(nameOf(b), 'en'))

/** The tags without their ranks, which only the generator reads. */
const tagsOf = ({ content }: SpecDocument): NonNullable<SpecDocument['content']['tags']> =>
  (content.tags ?? []).map(({ 'x-order': _order, ...tag }) => tag)

/** The tag groups: first those in `order`, then the others by name. */
const tagGroups = (groups: SpecDocument[], order: unknown[]): { name: string; tags: string[] }[] => {
  const tagsByName = new Map<string, string[]>()
  for (const { content } of groups) {
    const name = String(content['x-tagGroup'])
    tagsByName.set(name, [...(tagsByName.get(name) ?? []), ...(content.tags ?? []).map((tag) => tag.name)])
  }
  const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length)
  return [...tagsByName]
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map(([name, tags]) => ({ name, tags }))
}

const merge = (spec: SpecFolder, problems: string[]): Merged => {
  const merged: Merged = { paths: {}, webhooks: {}, components: {}, owners: new Map(), groupOf: new Map() }
  const files = new Map<string, string>()
  const claim = (what: string, file: string, fix: string): boolean => {
    const other = files.get(what)
    if (other === undefined) files.set(what, file)
    else problems.push(`${file}: ${what} already exists in ${other}. ${fix}`)
    return other === undefined
  }
  for (const document of [spec.root, ...spec.shared, ...spec.groups]) {
    const { file, name: group, content } = document
    const isGroup = spec.groups.includes(document)
    for (const [kind, parts] of Object.entries(content.components ?? {})) {
      for (const [name, part] of Object.entries(parts ?? {})) {
        if (!claim(`components.${kind}.${name}`, file, 'Rename one, or move it to shared/ and reference it.')) continue
        ;(merged.components[kind] ??= {})[name] = part
        if (kind === 'schemas') merged.owners.set(name, isGroup ? group : 'shared')
      }
    }
    for (const { path, method, operation } of operationsOf(content.paths)) {
      claim(`${method.toUpperCase()} ${path}`, file, 'Describe each operation once.')
      const { operationId } = operation
      if (operationId !== undefined && claim(`operationId ${operationId}`, file, 'Rename one.'))
        merged.groupOf.set(operationId, group)
    }
    for (const [path, item] of Object.entries(content.paths ?? {}))
      merged.paths[path] = { ...merged.paths[path], ...item }
    for (const [name, item] of Object.entries(content.webhooks ?? {})) {
      if (claim(`webhook ${name}`, file, 'Rename one.')) merged.webhooks[name] = item
    }
  }
  return merged
}

/**
 * Merges the documents into one: resolves references, document defaults and `x-common`, collects tags and tag groups,
 * and adds code samples.
 * @throws SpecError with every error found
 */
export const bundle = (spec: SpecFolder, version: string): Bundle => {
  const problems: string[] = []
  rewriteReferences(spec, problems)
  for (const group of spec.groups) applyDefaults(group)
  for (const group of spec.groups) checkDocument(group, spec.root, problems)
  const { owners, groupOf, paths, webhooks, components } = merge(spec, problems)
  if (problems.length > 0) throw new SpecError(problems)

  const { openapi, info, servers, ...root } = spec.root.content
  const { 'x-common': common, 'x-tagGroups-order': order, ...others } = root
  for (const merged of ['paths', 'webhooks', 'components', 'tags']) delete others[merged]
  const ordered = inOrder(spec.groups)
  const document: Bundle['document'] = {
    openapi,
    info: { ...info, version },
    servers,
    tags: ordered.flatMap(tagsOf),
    'x-tagGroups': tagGroups(ordered, Array.isArray(order) ? order : []),
    ...others,
    paths,
    ...(Object.keys(webhooks).length > 0 ? { webhooks } : {}),
    components
  }
  if (isObject(common)) expandCommon(document, common)
  const bundled = { document, owners, groupOf, groups: spec.groups.map((group) => group.name) }
  addCodeSamples(bundled)
  return bundled
}
