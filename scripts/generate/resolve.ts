import {
  SpecError,
  isObject,
  referenceName,
  type Bundle,
  type DocumentContent,
  type OperationObject,
  type Parameter
} from './model.ts'

/** Follows a reference to a component. References in the bundle are already checked. */
export const resolve = <Part extends { $ref?: string }>(bundle: { document: DocumentContent }, part: Part): Part => {
  if (part.$ref === undefined) return part
  const kind = part.$ref.split('/')[2] ?? ''
  const found = bundle.document.components?.[kind]?.[referenceName(part.$ref)]
  if (!isObject(found)) throw new SpecError([`${part.$ref} does not exist. Add the component.`])
  return resolve(bundle, found as Part)
}

/** The parameters of an operation, including those of its path. */
export const parametersOf = (bundle: Bundle, path: string, operation: OperationObject): Parameter[] =>
  [...(bundle.document.paths[path]?.parameters ?? []), ...(operation.parameters ?? [])].map((parameter) =>
    resolve(bundle, parameter)
  )

export const requestBodyOf = (bundle: Bundle, { requestBody }: OperationObject): OperationObject['requestBody'] =>
  requestBody === undefined ? undefined : resolve(bundle, requestBody)
