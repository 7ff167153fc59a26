import { isObject, operationsOf, type OperationObject, type SpecDocument } from './model.ts'

/** Names of generated files that do not belong to a group. */
const reservedNames = ['shared', 'index', 'client', 'client-methods', 'problems', 'tools']

const slugOf = (tag: string): string => tag.toLowerCase().replace(/[^a-z0-9]+/g, '-')

const titleOf = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ')

const checkTags = ({ name, content }: SpecDocument, report: (text: string) => void): void => {
  const tag = content.tags?.[0]
  if (tag === undefined || content.tags?.length !== 1) {
    report(`it needs exactly one tag. Write "tags: [{name: ${titleOf(name)}, description: …}]".`)
    return
  }
  if ((tag['x-document'] ?? slugOf(tag.name)) !== name) {
    report(`its tag is '${tag.name}'. Name the tag '${titleOf(name)}', or add 'x-document: ${name}' to it.`)
  }
  if (!tag.description) report(`its tag '${tag.name}' has no description. Describe the group in a sentence.`)
}

const checkOperation = (
  operation: OperationObject,
  tag: string | undefined,
  root: SpecDocument,
  report: (text: string) => void
): void => {
  if (typeof operation.operationId !== 'string')
    report('operationId is missing. Give it a verb and a noun, such as createTransfer.')
  if (tag !== undefined && (operation.tags?.length !== 1 || operation.tags[0] !== tag)) {
    report(`tags is ${JSON.stringify(operation.tags ?? [])}. Write the document's own tag only: tags: [${tag}].`)
  }
  const schemes = Object.keys(root.content.components?.['securitySchemes'] ?? {})
  if (!Array.isArray(operation.security)) {
    report('security is missing. List the alternatives, write [] for none, or set a default for the document.')
    operation.security = []
  }
  for (const scheme of operation.security.flatMap((alternative) => Object.keys(alternative))) {
    if (!schemes.includes(scheme))
      report(`security scheme ${scheme} is unknown. openapi.yaml has ${schemes.join(', ')}.`)
  }
  if (!Array.isArray(operation['x-required-scopes']))
    report('x-required-scopes is missing. List the scopes, or write [] for none.')
  const classes = Object.keys(isObject(root.content['x-rate-limits']) ? root.content['x-rate-limits'] : {})
  const rateClass = String(operation['x-ratelimit-class'])
  if (!classes.includes(rateClass))
    report(`x-ratelimit-class is ${rateClass}. x-rate-limits in openapi.yaml has ${classes.join(', ')}.`)
  const anonymousClass = operation['x-anonymous-ratelimit-class']
  if (anonymousClass !== undefined && !classes.some((name) => name === anonymousClass))
    report(`x-anonymous-ratelimit-class is unknown. x-rate-limits in openapi.yaml has ${classes.join(', ')}.`)
  if (!isObject(operation.responses)) {
    report('responses is missing. Describe at least the successful response.')
    operation.responses = {}
  }
  for (const status of Object.keys(operation.responses)) {
    if (!/^[1-5]\d\d$/.test(status)) report(`response '${status}' is not a status. List each status by its number.`)
  }
}

const checkPath = (path: string, report: (text: string) => void): void => {
  for (const segment of path.split('/')) {
    if (segment.includes('{') && !/^\{\w+\}([.-][\w.]+)?$/.test(segment))
      report(`the segment '${segment}' mixes a parameter with text. Give the parameter a segment of its own.`)
  }
}

/**
 * Checks what the generator requires of a group's document and Spectral cannot see in the bundle. Adds each error to
 * `problems`, and fills in missing parts so that checking can continue.
 */
export const checkDocument = (document: SpecDocument, root: SpecDocument, problems: string[]): void => {
  const { file, name, content } = document
  const report = (text: string): void => void problems.push(`${file}: ${text}`)
  if (reservedNames.includes(name)) report(`${name} is the name of a generated file. Rename the document.`)
  checkTags(document, report)
  if (typeof content['x-tagGroup'] !== 'string')
    report('x-tagGroup is missing. Name the tag group that shows this group in the reference.')
  for (const { path, method, operation } of operationsOf(content.paths)) {
    const place = `${method.toUpperCase()} ${path}`
    checkOperation(operation, content.tags?.[0]?.name, root, (text) => report(`${place}: ${text}`))
  }
  for (const path of Object.keys(content.paths ?? {})) checkPath(path, (text) => report(`${path}: ${text}`))
}
