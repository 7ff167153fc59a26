/** What the generated tools look like; `npm run generate` writes them from the operations that the specification marks with `x-mcp`. */

export interface ObjectSchema {
  type: 'object'
  properties?: Record<string, object>
  required?: string[]
  [keyword: string]: unknown
}

/** Where an argument of a tool goes in the operation's request. */
export interface ArgumentPlace {
  in: 'path' | 'query' | 'header' | 'body'
  name: string
  required: boolean
}

export interface ToolTemplate {
  /** The operationId in snake_case. */
  name: string
  operationId: string
  title: string
  description: string
  inputSchema: ObjectSchema
  /** Missing where the successful answer has no content. */
  outputSchema?: ObjectSchema
  annotations: { readOnlyHint: boolean; destructiveHint: boolean; idempotentHint: boolean; openWorldHint: boolean }
  places: Readonly<Record<string, ArgumentPlace>>
  /** Whether the operation insists on a body, also when the body has no members. */
  sendsBody: boolean
  /** What is sent for arguments that the model leaves out. */
  defaults: Readonly<Record<string, unknown>>
}
