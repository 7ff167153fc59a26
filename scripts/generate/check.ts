import type { OperationObject, SpecDocument } from './model.ts'
import { isObject, operationsOf } from './model.ts'

const RESERVED_NAMES = ['shared', 'index', 'client', 'client-methods', 'tools']

/** What the generator needs of a group's document and Spectral cannot see in the bundle; faults go to `problems`. */
export function checkDocument({ file, name, content }: SpecDocument, root: SpecDocument, problems: string[]): void {
  const say = (text: string) => problems.push(`${file}: ${text}`)
  if (RESERVED_NAMES.includes(name))
    say(`a group cannot be called ${name}, which is a generated file's name; rename the document.`)
  const tag = content.tags?.[0]
  if (tag === undefined || content.tags?.length !== 1) {
    say(`it needs exactly one tag; write "tags: [{name: ${titleOf(name)}, description: …}]".`)
  } else {
    if ((tag['x-document'] ?? slugOf(tag.name)) !== name) {
      say(
        `its tag is '${tag.name}'; a tag is named like its document ('${titleOf(name)}'), or says 'x-document: ${name}'.`
      )
    }
    if (!tag.description) say(`its tag '${tag.name}' has no description; say in a sentence what the group is for.`)
  }
  if (typeof content['x-tagGroup'] !== 'string')
    say('x-tagGroup is missing; name the tag group that documentation shows it under.')
  for (const { path, method, operation } of operationsOf(content.paths)) {
    const at = `${method.toUpperCase()} ${path}`
    checkOperation(operation, tag?.name, root, (text) => say(`${at}: ${text}`))
  }
  for (const path of Object.keys(content.paths ?? {})) checkPath(path, (text) => say(`${path}: ${text}`))
}

function checkOperation(
  operation: OperationObject,
  tag: string | undefined,
  root: SpecDocument,
  say: (text: string) => void
): void {
  if (typeof operation.operationId !== 'string')
    say('operationId is missing; give it a verb and a noun, as in createTransfer.')
  if (tag !== undefined && (operation.tags?.length !== 1 || operation.tags[0] !== tag)) {
    say(`tags is ${JSON.stringify(operation.tags ?? [])}; it must be exactly the document's own: tags: [${tag}].`)
  }
  const schemes = Object.keys(root.content.components?.['securitySchemes'] ?? {})
  if (!Array.isArray(operation.security)) {
    say('security is missing; list the alternatives, write [] for none, or give the document a default.')
    operation.security = []
  }
  for (const scheme of operation.security.flatMap((alternative) => Object.keys(alternative))) {
    if (!schemes.includes(scheme)) say(`security scheme ${scheme} is unknown; openapi.yaml has ${schemes.join(', ')}.`)
  }
  if (!Array.isArray(operation['x-required-scopes']))
    say('x-required-scopes is missing; list the scopes, or write [] for none.')
  const classes = Object.keys(isObject(root.content['x-rate-limits']) ? root.content['x-rate-limits'] : {})
  if (!classes.includes(String(operation['x-ratelimit-class']))) {
    say(
      `x-ratelimit-class is ${String(operation['x-ratelimit-class'])}; openapi.yaml's x-rate-limits has ${classes.join(', ')}.`
    )
  }
  if (!isObject(operation.responses)) {
    say('responses are missing; describe at least the successful one.')
    operation.responses = {}
  }
  for (const status of Object.keys(operation.responses)) {
    if (!/^[1-5]\d\d$/.test(status))
      say(`response '${status}' is no status; name each status that the operation answers.`)
  }
}

function checkPath(path: string, say: (text: string) => void): void {
  for (const segment of path.split('/')) {
    if (segment.includes('{') && !/^\{\w+\}([.-][\w.]+)?$/.test(segment)) {
      say(`the segment '${segment}' mixes a parameter with text; give the parameter a segment of its own.`)
    }
  }
}

function slugOf(tag: string): string {
  return tag.toLowerCase().replace(/[^a-z0-9]+/g, '-')
}

function titleOf(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ')
}
