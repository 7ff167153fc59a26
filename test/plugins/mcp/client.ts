import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import type { Cleaner } from '../../build-app.ts'

/** The SDK's own client, connected to a running server with a credential. */
export const connect = async (t: Cleaner, url: string, key: string): Promise<Client> => {
  const client = new Client({ name: 'a test', version: '1' })
  await client.connect(
    new StreamableHTTPClientTransport(new URL('/mcp', url), {
      requestInit: { headers: { authorization: `Bearer ${key}` } }
    })
  )
  t.teardown(() => client.close())
  return client
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests read responses that the specification describes, and assert their content
export type Read = any

/** Calls a tool and reads the JSON text of its result, whether a response or a problem. */
export const call = async (
  client: Client,
  name: string,
  given: Record<string, unknown> = {}
): Promise<{ failed: boolean; body: Read; note: string | undefined; result: CallToolResult }> => {
  const result = (await client.callTool({ name, arguments: given })) as CallToolResult
  const [text, note] = result.content.map((block) => (block.type === 'text' ? block.text : ''))
  return {
    failed: result.isError === true,
    body: text?.startsWith('{') === true ? JSON.parse(text) : text,
    note,
    result
  }
}
