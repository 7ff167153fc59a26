import { STATUS_CODES } from 'node:http'
import { bearer, operatorsVariable } from './credentials.ts'
import { exampleOf, resolve, type Operation, type Response, type SpecificationDocument, type Step } from './document.ts'
import { createRequest, type Place, type PostmanRequest } from './request.ts'
import { createTest, fillIdempotencyKey, skipWithout, type Need } from './scripts.ts'

interface Entry {
  place: Place
  step: Step
}

const methods = ['get', 'post', 'put', 'patch', 'delete']
/** The rank of a folder or request without an `order`. */
const defaultOrder = 50

function* entriesOf(document: SpecificationDocument): Generator<Entry> {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of methods) {
      const operation = item[method] as Operation | undefined
      if (operation === undefined) continue
      for (const step of [operation['x-postman'] ?? {}].flat())
        yield { place: { document, path, method, operation }, step }
    }
  }
}

const successesOf = ({ document, operation }: Place): [code: number, response: Response][] =>
  Object.entries(operation.responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([status, response]) => [Number(status), resolve<Response>(document, response)])

/** Postman lists these examples under the request. */
const savedResponses = (place: Place, request: PostmanRequest) =>
  successesOf(place).map(([code, { description, content = {} }]) => {
    const [type, media] =
      Object.entries(content).find(([name]) => name === 'application/json') ?? Object.entries(content)[0] ?? []
    const example = media === undefined ? undefined : exampleOf(place.document, media)
    return {
      name: description,
      originalRequest: request,
      status: STATUS_CODES[code] ?? '',
      code,
      header: type === undefined ? [] : [{ key: 'Content-Type', value: type }],
      cookie: [],
      body: typeof example === 'string' ? example : (JSON.stringify(example, null, 2) ?? '')
    }
  })

const nameOf = ({ place, step }: Entry): string => step.title ?? place.operation.summary

const scopesOf = ({ place }: Entry): string[] => place.operation['x-required-scopes'] ?? []

/** The variables that a step needs from earlier requests, each with the first request that saves it. */
const needsOf = ({ step }: Entry, entries: Entry[]): Need[] => {
  const set = JSON.stringify(step.set ?? {})
  const contained = [...set.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name)
  const always = step.needs ?? []
  return [...new Set([...contained, ...always])].flatMap((variable) => {
    const saving = entries.find((entry) => Object.keys(entry.step.saves ?? {}).includes(variable))
    if (saving === undefined) return []
    const scopes = [...scopesOf(saving), ...needsOf(saving, entries).flatMap((need) => need.scopes)]
    return { variable, always: always.includes(variable), savedBy: nameOf(saving), scopes: [...new Set(scopes)] }
  })
}

const createItem = (entry: Entry, entries: Entry[]) => {
  const { place, step } = entry
  const request = createRequest(place, step)
  const successes = successesOf(place).map(([code]) => code)
  const needs = needsOf(entry, entries)
  return {
    name: nameOf(entry),
    event: [
      ...(needs.length === 0 ? [] : [skipWithout(needs)]),
      createTest({ step, scopes: scopesOf(entry), successes, operatorsVariable: operatorsVariable(place.operation) })
    ],
    request,
    response: savedResponses(place, request)
  }
}

/** The folder names in the order of the run: the order of the tag groups, unless a tag has an `order` of its own. */
const folderNames = (document: SpecificationDocument): string[] => {
  const orders = new Map(document.tags.map((tag) => [tag.name, tag['x-postman']?.order ?? defaultOrder]))
  const names = document['x-tagGroups'].flatMap((group) => group.tags)
  return names.sort((one, other) => (orders.get(one) ?? defaultOrder) - (orders.get(other) ?? defaultOrder))
}

/** The variables that pass values between requests. They start empty, so that Postman lists them. */
const variablesOf = (entries: Entry[], kept: string[]) => {
  const saved = entries.flatMap(({ step }) => Object.keys(step.saves ?? {}))
  return [...new Set([...saved, 'lastIdempotencyKey'])]
    .filter((name) => !kept.includes(name))
    .map((key) => ({ key, value: '' }))
}

/** The variables of the environment. The person who runs the collection fills them in. */
const environmentVariables = ['baseUrl', 'apiKey', 'idempotencyKey', 'ingestSecret', 'operatorToken']

/**
 * Builds a Postman collection, in format 2.1, with every operation of the specification, one folder per tag. It runs from top to bottom: `x-postman` defines the
 * order of the requests and their values. The result depends on the specification alone.
 */
export const createCollection = (document: SpecificationDocument) => {
  const entries = [...entriesOf(document)]
  const folderOf = ({ place, step }: Entry): string => step.folder ?? place.operation.tags[0]
  const rankOf = ({ step }: Entry): number => step.order ?? defaultOrder
  const item = folderNames(document).map((name) => ({
    name,
    description: document.tags.find((tag) => tag.name === name)?.description ?? '',
    item: entries
      .filter((entry) => folderOf(entry) === name)
      .sort((one, other) => rankOf(one) - rankOf(other))
      .map((entry) => createItem(entry, entries))
  }))
  const { title, description, version } = document.info
  return {
    info: {
      name: title,
      description,
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
      version
    },
    auth: bearer('apiKey'),
    event: [fillIdempotencyKey],
    variable: variablesOf(entries, environmentVariables),
    item
  }
}

/** Builds the environment of the collection. `baseUrl` is the address at which clients reach the server. */
export const createEnvironment = ({ info }: SpecificationDocument, baseUrl: string) => ({
  id: 'c1b7c2f0-6a0e-4a7c-9d52-3f8f1f5a7b10',
  name: info.title,
  values: environmentVariables.map((key) => ({
    key,
    value: key === 'baseUrl' ? baseUrl : '',
    type: key === 'baseUrl' || key === 'idempotencyKey' ? 'default' : 'secret',
    enabled: true
  })),
  _postman_variable_scope: 'environment'
})
