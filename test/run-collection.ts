import newman, { type NewmanRunOptions, type NewmanRunSummary } from 'newman'
import type { createCollection, createEnvironment } from '../modules/documents/postman/collection.ts'

export type Collection = ReturnType<typeof createCollection>
export type Environment = ReturnType<typeof createEnvironment>

export interface CollectionRun extends NewmanRunSummary {
  /** The requests that the run skipped: name → reason. */
  skipped: Map<string, string>
}

/** Runs a Postman collection, given as an object or a URL, and returns the result of each request. Prints nothing. */
export const runCollection = async (options: NewmanRunOptions): Promise<CollectionRun> =>
  await new Promise((done, fail) => {
    const skipped = new Map<string, string>()
    newman
      .run({ reporters: [], timeoutRequest: 30_000, ...options }, (error, summary) =>
        error === null ? done({ ...summary, skipped }) : fail(error)
      )
      .on('assertion', (_error, result: { assertion: string; skipped: boolean; item: { name: string } }) => {
        if (result.skipped) skipped.set(result.item.name, result.assertion)
      })
  })

/** The collection and the environment as a server offers them. */
export interface PostmanFiles {
  collection: Collection
  environment: Environment
}

export const downloadPostmanFiles = async (url: string): Promise<PostmanFiles> => {
  const download = async <Content>(path: string): Promise<Content> =>
    (await (await fetch(url + path)).json()) as Content
  return {
    collection: await download<Collection>('/v1/postman_collection.json'),
    environment: await download<Environment>('/v1/postman_environment.json')
  }
}

/** Runs the downloaded collection, or one of its folders, with the given values for variables of the environment. */
export const runFiles = async (
  { collection, environment }: PostmanFiles,
  given: Record<string, string> = {},
  folder?: string
): Promise<CollectionRun> => {
  const values = environment.values.map((variable) => ({ ...variable, value: given[variable.key] ?? variable.value }))
  return await runCollection({
    collection: collection as unknown as NewmanRunOptions['collection'],
    environment: { ...environment, values },
    ...(folder === undefined ? {} : { folder })
  })
}

const hint =
  'See `x-postman` of the operation in the specification: its position in the run, and the values that it takes from earlier requests.'

/** What failed in a run: the name of the request, the reason, and where to look. */
export const faultsOf = (summary: NewmanRunSummary): string[] =>
  summary.run.failures.map(({ source, error }) => `${source?.name ?? ''}: ${error.message} ${hint}`)
