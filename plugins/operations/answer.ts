/** An answer with a status of its own and perhaps headers. */
export class Answer<Status extends number, Body> {
  constructor(
    readonly status: Status,
    readonly body: Body,
    readonly headers: Record<string, string> = {}
  ) {}
}

/** Answers with `status` where an operation has several, or where headers are needed. */
export const answer = <const Status extends number, Body>(
  status: Status,
  body: Body,
  headers?: Record<string, string>
): Answer<Status, Body> => new Answer(status, body, headers)
