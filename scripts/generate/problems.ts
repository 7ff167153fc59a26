import { generatedHeader } from './header.ts'
import { isObject, type Bundle } from './model.ts'
import { literal } from './print.ts'

interface ProblemExample {
  title: string
  status: number
}

const isProblem = (node: unknown): node is ProblemExample =>
  isObject(node) && typeof node['title'] === 'string' && typeof node['status'] === 'number' && 'error' in node

/** Every example of a problem in the document. */
function* problemsIn(node: unknown): Generator<ProblemExample> {
  if (typeof node !== 'object' || node === null) return
  if (isProblem(node)) yield node
  else for (const child of Object.values(node)) yield* problemsIn(child)
}

/** The specification's examples of problems by code, the first one of each status, for the pages that explain the codes. */
export const printProblems = ({ document }: Bundle): string => {
  const examples: Record<string, ProblemExample[]> = {}
  for (const problem of problemsIn([document.components, document.paths])) {
    const same = (examples[problem.title] ??= [])
    if (same.every(({ status }) => status !== problem.status)) same.push(problem)
  }
  return `${generatedHeader}
/** Examples of problems by code, one for each status. */
export const problemExamples: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>> = ${literal(examples)}
`
}
