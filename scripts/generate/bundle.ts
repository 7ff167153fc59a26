import type { Components, DocumentContent, OperationObject, PathItem, SpecDocument, SpecFolder } from './model.ts'
import { SpecError, isObject, operationsOf } from './model.ts'
import { checkDocument } from './check.ts'
import { expandCommon } from './common.ts'
import { rewriteReferences } from './references.ts'
import { addCodeSamples } from './samples/index.ts'

export interface Bundle {
  /** The one OpenAPI document. */
  document: DocumentContent & { paths: Record<string, PathItem>; components: Components }
  /** Name of a component schema → name of the group that owns it, or `shared`. */
  owners: Map<string, string>
  /** operationId → group. */
  groupOf: Map<string, string>
  groups: string[]
}

/**
 * Merges the documents into one: references, document defaults and `x-common` are resolved, tags and tag groups
 * collected, code samples added. Throws a SpecError with every fault found, each with its file and its cure.
 */
export function bundle(spec: SpecFolder, version: string): Bundle {
  const problems: string[] = []
  rewriteReferences(spec, problems)
  for (const group of spec.groups) pushDefaults(group)
  for (const group of spec.groups) checkDocument(group, spec.root, problems)
  const merged = merge(spec, problems)
  if (problems.length > 0) throw new SpecError(problems)

  const { 'x-common': common, 'x-tagGroups-order': order, ...rest } = spec.root.content
  const {
    openapi,
    info,
    servers,
    paths: _paths,
    components: _components,
    webhooks: _webhooks,
    tags: _tags,
    ...extensions
  } = rest
  const document: Bundle['document'] = {
    openapi,
    info: { ...info, version },
    servers,
    tags: spec.groups.flatMap((group) => group.content.tags ?? []).sort((a, b) => a.name.localeCompare(b.name, 'en')),
    'x-tagGroups': tagGroups(spec.groups, Array.isArray(order) ? order : []),
    ...extensions,
    paths: merged.paths,
    ...(Object.keys(merged.webhooks).length > 0 ? { webhooks: merged.webhooks } : {}),
    components: merged.components
  }
  if (isObject(common)) expandCommon(document, common)
  const bundled = {
    document,
    owners: merged.owners,
    groupOf: merged.groupOf,
    groups: spec.groups.map((group) => group.name)
  }
  addCodeSamples(bundled)
  return bundled
}

function pushDefaults({ content }: SpecDocument): void {
  for (const { operation } of operationsOf(content.paths)) {
    if (content.security !== undefined) operation.security ??= structuredClone(content.security)
    if (content['x-ratelimit-class'] !== undefined) operation['x-ratelimit-class'] ??= content['x-ratelimit-class']
  }
}

/** The groups in the order that the root document gives, then those it does not name, by name; each tag once. */
function tagGroups(groups: SpecDocument[], order: unknown[]): { name: string; tags: string[] }[] {
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

interface Merged {
  paths: Record<string, PathItem>
  webhooks: Record<string, PathItem>
  components: Components
  owners: Map<string, string>
  groupOf: Map<string, string>
}

function merge(spec: SpecFolder, problems: string[]): Merged {
  const merged: Merged = { paths: {}, webhooks: {}, components: {}, owners: new Map(), groupOf: new Map() }
  const places = new Map<string, string>()
  const claim = (what: string, file: string, cure: string): boolean => {
    const other = places.get(what)
    if (other === undefined) places.set(what, file)
    else problems.push(`${file}: ${what} is in ${other} already; ${cure}.`)
    return other === undefined
  }
  for (const document of [spec.root, ...spec.shared, ...spec.groups]) {
    const { file, name: group, content } = document
    const isGroup = spec.groups.includes(document)
    for (const [kind, parts] of Object.entries(content.components ?? {})) {
      for (const [name, part] of Object.entries(parts ?? {})) {
        if (!claim(`components.${kind}.${name}`, file, 'rename one, or move it to shared/ and refer to it')) continue
        ;(merged.components[kind] ??= {})[name] = part
        if (kind === 'schemas') merged.owners.set(name, isGroup ? group : 'shared')
      }
    }
    for (const { path, method, operation } of operationsOf(content.paths)) {
      claim(`${method.toUpperCase()} ${path}`, file, 'describe each operation once')
      if (!claimOperationId(operation, claim, file)) continue
      merged.groupOf.set(operation.operationId, group)
    }
    for (const [path, item] of Object.entries(content.paths ?? {}))
      merged.paths[path] = { ...merged.paths[path], ...item }
    for (const [name, item] of Object.entries(content.webhooks ?? {})) {
      if (claim(`webhook ${name}`, file, 'rename one')) merged.webhooks[name] = item
    }
  }
  return merged
}

function claimOperationId(
  { operationId }: OperationObject,
  claim: (what: string, file: string, cure: string) => boolean,
  file: string
): boolean {
  return operationId !== undefined && claim(`operationId ${operationId}`, file, 'give one of the two another name')
}
