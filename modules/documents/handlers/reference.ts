import type { FastifyInstance, FastifyRequest } from 'fastify'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import {
  operations,
  type PostmanCollection,
  type PostmanEnvironment,
  type Specification
} from '../../../spec/generated/documents.ts'
import type { Download } from '../download-thread.ts'
import { html } from '../html.ts'
import { createEnvironment } from '../postman/collection.ts'
import type { SpecificationDocument } from '../postman/document.ts'
import { print } from '../print.ts'
import { redocPage } from '../redoc.ts'
import { isCurrent, lazyText, staticText, type StaticText } from '../static-text.ts'

/** The operations of the reference but for Swagger UI, whose page the package serves. */
const { getSwaggerUi, listErrors, getErrorKind, ...bound } = operations
export const referenceOperations = bound

/** Returns the text, or 304 when the caller's copy is current. */
const file = <Body>(
  ifNoneMatch: string | undefined,
  document: StaticText,
  bodyOf: (text: string) => Body,
  headers: Record<string, string>
) => {
  const caching = { etag: document.etag, 'cache-control': 'no-cache' }
  if (isCurrent(ifNoneMatch, document)) return answer(304, null, caching)
  return answer(200, bodyOf(document.text), { ...caching, ...headers })
}

/** Types a JSON text as the document that it holds: the text is sent unchanged, without parsing and printing it. */
const asDocument = <Document>(text: string): Document => text as unknown as Document

const json = { 'content-type': 'application/json; charset=utf-8' }
const yaml = { 'content-type': 'application/yaml; charset=utf-8' }

/** Headers of a JSON file that a browser saves under this name. */
const download = (name: string) => ({
  ...json,
  'content-disposition': `attachment; filename="atlas-public-api.${name}.json"`
})

/** @param printDownload prints a download outside the event loop. */
export const referenceHandlers = (
  app: FastifyInstance,
  printDownload: (name: Download) => Promise<StaticText>
): Handlers<typeof referenceOperations> => {
  const { publicUrl } = app.config
  const specification = () => app.swagger() as unknown as SpecificationDocument
  const jsonText = lazyText(() => printDownload('json'))
  const yamlText = lazyText(() => printDownload('yaml'))
  const collection = lazyText(() => printDownload('collection'))
  const environmentFor = (baseUrl: string) => staticText(print(createEnvironment(specification(), baseUrl)))

  /** The public address, or the one that this request was sent to. */
  const addressFor = ({ protocol, host }: FastifyRequest): string => publicUrl || `${protocol}://${host}`

  return {
    async getRedoc() {
      return html(redocPage.html, redocPage.policy)
    },
    async getReference() {
      return html(redocPage.html, redocPage.policy)
    },
    async getOpenapiJson({ headers }) {
      return file(headers['if-none-match'], await jsonText(), asDocument<Specification>, json)
    },
    async getOpenapiYaml({ headers }) {
      return file(headers['if-none-match'], await yamlText(), (text) => text, yaml)
    },
    async downloadOpenapi({ headers }) {
      return file(headers['if-none-match'], await jsonText(), asDocument<Specification>, download('openapi'))
    },
    async downloadPostmanCollection({ headers }) {
      return file(
        headers['if-none-match'],
        await collection(),
        asDocument<PostmanCollection>,
        download('postman_collection')
      )
    },
    async downloadPostmanEnvironment({ headers, request }) {
      const environment = environmentFor(addressFor(request))
      return file(
        headers['if-none-match'],
        environment,
        asDocument<PostmanEnvironment>,
        download('postman_environment')
      )
    }
  }
}
