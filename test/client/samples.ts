import { document, operations } from '../architecture/document.ts'

export interface Sample {
  operationId: string
  source: string
}

/** The samples of one language, in the order of the specification. */
export const samples = (label: 'curl' | 'TypeScript' | 'Python'): Sample[] =>
  operations.map(({ operationId, path, method }) => {
    const described = document.paths[path]?.[method.toLowerCase()] as unknown as
      { 'x-codeSamples'?: { label: string; source: string }[] } | undefined
    const found = described?.['x-codeSamples']?.find((sample) => sample.label === label)
    if (found === undefined) throw new Error(`${operationId} has no sample for ${label}.`)
    return { operationId, source: found.source }
  })
