import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { t, test } from 'tap'
import { root, scriptToRun } from '../../machines/scripts.ts'
import { openWorld } from '../../modules/agents/world.ts'
import { call } from './client.ts'

const world = await openWorld(t)
const script = scriptToRun('scripts/mcp.ts')
const environment = (key: string, url = world.url) => ({
  PATH: process.env.PATH ?? '',
  ATLAS_API_KEY: key,
  ATLAS_BASE_URL: url
})

test('the program offers the tools of its key, and a retried purchase is paid once', async (t) => {
  const agentId = `agent-${randomUUID()}`
  const client = new Client({ name: 'a test', version: '1' })
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: script,
      cwd: root,
      env: environment(await world.fund(agentId, 100))
    })
  )
  t.teardown(() => client.close())
  assert.equal(client.getServerVersion()?.name, 'atlasforge')
  assert.match(client.getInstructions() ?? '', /idempotency_key/)
  assert.ok((await client.listTools()).tools.some(({ name }) => name === 'spend_credits'))
  const purchase = { amount: 30, idempotency_key: randomUUID() }
  assert.equal((await call(client, 'spend_credits', purchase)).body.balance, 70)
  assert.equal((await call(client, 'spend_credits', purchase)).body.balance, 70)
  assert.equal(await world.balance(agentId), 70)
  assert.equal(
    (await call(client, 'spend_credits', { amount: 1000, idempotency_key: randomUUID() })).body.error,
    'insufficient_balance'
  )
})

test('standard output contains one response per line and nothing else, and all of them before it exits', async () => {
  const child = spawn(process.execPath, script, {
    cwd: root,
    env: environment(await world.fund(`agent-${randomUUID()}`, 0))
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'a test', version: '1' } }
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 'a', method: 'initialize', params: initialize })}\n`)
  child.stdin.write(`no JSON\n${JSON.stringify({ jsonrpc: '2.0', id: 'b', method: 'ping' })}\n`)
  child.stdin.end(`${JSON.stringify({ jsonrpc: '2.0', id: 'c', method: 'tools/list' })}\n`)
  const code = await new Promise((done) => child.once('close', done))
  const lines = Buffer.concat(chunks)
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual([code, lines.map(({ id }) => id).sort()], [0, ['a', 'b', 'c']])
})

test('a server that rejects the key or does not respond fails the connection with the reason', async (t) => {
  for (const [key, url, reason] of [
    ['afg_live_unknown', world.url, /unauthorized|401/i],
    ['afg_live_unknown', 'http://127.0.0.1:1', /ECONNREFUSED|bad port|fetch failed/]
  ] as const) {
    const client = new Client({ name: 'a test', version: '1' })
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: script,
      cwd: root,
      env: environment(key, url),
      stderr: 'pipe'
    })
    t.teardown(() => client.close())
    await assert.rejects(client.connect(transport), reason)
  }
})

test('the program prints its help, and does not start without a key', async () => {
  const run = (args: string[]) =>
    spawnSync(process.execPath, [...script, ...args], { cwd: root, env: { PATH: process.env.PATH }, encoding: 'utf8' })
  assert.match(run(['--help']).stdout, /ATLAS_API_KEY/)
  const { status, stdout, stderr } = run([])
  assert.deepEqual([status, stdout], [1, ''])
  assert.match(stderr, /ATLAS_API_KEY is missing/)
})
