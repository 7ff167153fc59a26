/** A response with an explicit status and optional headers. */
export class Answer<Status extends number, Body> {
  constructor(
    readonly status: Status,
    readonly body: Body,
    readonly headers: Record<string, string | string[]> = {}
  ) {}
}

/** Returns a response with a status, for operations with several success statuses, or with headers. */
export const answer = <const Status extends number, Body>(
  status: Status,
  body: Body,
  headers?: Record<string, string | string[]>
): Answer<Status, Body> => new Answer(status, body, headers)
