import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { t, test } from 'tap'
import { startApp, type Cleaner } from '../../build-app.ts'
import { createPartner } from '../../credentials.ts'

const suite = fileURLToPath(
  new URL('../../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url)
)
const exceptions = fileURLToPath(new URL('conformance.yaml', import.meta.url))

/** Forwards requests to the server, and adds the credential that the suite cannot send. */
const withCredential = async (t: Cleaner, url: string, key: string): Promise<string> => {
  const { hostname, port } = new URL(url)
  const proxy = createServer((request, response) => {
    const { url: path, method, headers } = request
    const onward = httpRequest(
      { hostname, port, path, method, headers: { ...headers, authorization: `Bearer ${key}` } },
      (upstream) => {
        response.writeHead(upstream.statusCode ?? 502, upstream.headers)
        upstream.pipe(response)
      }
    )
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
  t.teardown(() => void proxy.close())
  return `http://localhost:${(proxy.address() as AddressInfo).port}/mcp`
}

test('the official conformance suite passes, except for a list of exceptions with reasons', async () => {
  const { url, database } = await startApp(t)
  const address = await withCredential(t, url, (await createPartner(database)).testKey)
  const results = mkdtempSync(join(tmpdir(), 'atlas-conformance-'))
  t.teardown(() => rmSync(results, { recursive: true, force: true }))
  // It writes its results to the working directory, so it must not run in the project's folder.
  const child = spawn(
    process.execPath,
    [suite, 'server', '--url', address, '--suite', 'all', '--expected-failures', exceptions],
    { cwd: results }
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  const code = await new Promise((done) => child.once('close', done))
  assert.equal(code, 0, output.slice(-4000))
  for (const scenario of ['server-initialize', 'ping', 'tools-list', 'dns-rebinding-protection'])
    assert.match(output, new RegExp(`✓ ${scenario}: [1-9]\\d* passed, 0 failed`), output)
})
