/** The type of the generated tools. `npm run generate` writes them from the operations with `x-mcp`. */

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
  /** Undefined when the success response has no content. */
  outputSchema?: ObjectSchema
  annotations: { readOnlyHint: boolean; destructiveHint: boolean; idempotentHint: boolean; openWorldHint: boolean }
  places: Readonly<Record<string, ArgumentPlace>>
  /** Whether the operation requires a body, even an empty one. */
  sendsBody: boolean
  /** Values for arguments that the model omits. */
  defaults: Readonly<Record<string, unknown>>
}
