import newman, { type NewmanRunOptions, type NewmanRunSummary } from 'newman'

/** Runs a Postman collection, given as an object or a URL, and returns the result of each request. Prints nothing. */
export const runCollection = async (options: NewmanRunOptions): Promise<NewmanRunSummary> =>
  await new Promise((done, fail) => {
    newman.run({ reporters: [], timeoutRequest: 30_000, ...options }, (error, summary) =>
      error === null ? done(summary) : fail(error)
    )
  })
