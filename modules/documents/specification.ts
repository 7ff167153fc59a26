import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import type { SpecificationDocument } from './postman/document.ts'

/** The bundled specification stands beside the generated code, in the source and in the build. */
export const specificationPath = fileURLToPath(new URL('../../spec/generated/openapi.json', import.meta.url))

export const readSpecification = () => JSON.parse(readFileSync(specificationPath, 'utf8')) as SpecificationDocument

/** Prints the bundled specification. The JSON equals the bundle byte for byte. */
export const printSpecification = {
  json: (): string => readFileSync(specificationPath, 'utf8'),
  yaml: (): string => stringify(readSpecification(), { strict: false })
}
