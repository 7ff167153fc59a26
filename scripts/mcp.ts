import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import {
  ErrorCode,
  isInitializeRequest,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type RequestId
} from '@modelcontextprotocol/sdk/types.js'
import { runWithArguments } from './command.ts'

const help = `Serves the tools of a running server over standard input and output, for MCP clients that start a local program.
Writes only protocol messages to standard output.

  npm run --silent mcp [-- --url http://localhost:3000]

  ATLAS_API_KEY    credential: a partner key, a personal access token, an agent key or an access token (required)
  ATLAS_BASE_URL   URL of the server (default: http://localhost:3000)
  --url URL        URL of the server, overrides ATLAS_BASE_URL
  --help           show this text
`

const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : ''
  return `${error instanceof Error ? error.message : String(error)}${cause}`
}

const failureOf = (id: RequestId, error: unknown): JSONRPCMessage => ({
  jsonrpc: '2.0',
  id,
  error: { code: ErrorCode.InternalError, message: `The request to the server failed: ${reasonOf(error)}` }
})

/** Relays messages in both directions until standard input ends and every request has its response. */
const relay = async (url: URL, key: string): Promise<void> => {
  const local = new StdioServerTransport()
  const remote = new StreamableHTTPClientTransport(url, {
    requestInit: { headers: { authorization: `Bearer ${key}` } }
  })
  const underWay = new Set<Promise<void>>()
  let initializing: RequestId | undefined
  const pass = async (message: JSONRPCMessage): Promise<void> => {
    if (isInitializeRequest(message) && isJSONRPCRequest(message)) initializing = message.id
    try {
      await remote.send(message)
    } catch (error) {
      process.stderr.write(`${reasonOf(error)}\n`)
      if (isJSONRPCRequest(message)) await local.send(failureOf(message.id, error))
    }
  }
  local.onmessage = (message) => {
    const passing = pass(message).finally(() => underWay.delete(passing))
    underWay.add(passing)
  }
  remote.onmessage = (message) => {
    if (
      isJSONRPCResultResponse(message) &&
      message.id === initializing &&
      typeof message.result.protocolVersion === 'string'
    ) {
      remote.setProtocolVersion(message.result.protocolVersion)
    }
    void local.send(message)
  }
  local.onerror = (error) => process.stderr.write(`${reasonOf(error)}\n`)
  await remote.start()
  const ended = new Promise<void>((done) => process.stdin.once('end', done))
  await local.start()
  await ended
  await Promise.all(underWay)
  await local.close()
  await remote.close()
}

runWithArguments({ help, options: { url: { type: 'string' } } }, async ({ url }) => {
  const key = process.env.ATLAS_API_KEY
  if (key === undefined || key === '')
    throw new Error('ATLAS_API_KEY is missing. Set it to the credential for the tools.')
  const base = url ?? process.env.ATLAS_BASE_URL ?? 'http://localhost:3000'
  if (!URL.canParse(base))
    throw new Error(`${base} is not a URL. Use the URL of the server, such as http://localhost:3000.`)
  await relay(new URL('mcp', `${base.replace(/\/$/, '')}/`), key)
})
