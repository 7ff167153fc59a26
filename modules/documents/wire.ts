import { slugOf, type ProblemKind } from '../../plugins/http/errors/problem.ts'
import type { ErrorKind } from '../../spec/generated/documents.ts'

/** Describes a kind of error as JSON. `baseUrl` is empty when the server has no public URL. */
export const toErrorKind = (kind: ProblemKind, baseUrl: string): ErrorKind => ({
  ...kind,
  type: `${baseUrl}/errors/${slugOf(kind.code)}`
})
