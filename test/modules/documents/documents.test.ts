import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { t, test } from 'tap'
import { parse } from 'yaml'
import { escapeHtml } from '../../../modules/documents/error-pages.ts'
import { prefers } from '../../../modules/documents/negotiation.ts'
import { problemKinds } from '../../../plugins/http/errors/problem.ts'
import { version } from '../../../plugins/version.ts'
import { startApp } from '../../build-app.ts'
import { root, scriptToRun } from '../../machines/scripts.ts'

const run = promisify(execFile)

/** One server for all tests that change nothing of it. */
const { url } = await startApp(t)

const reference = [
  '/docs',
  '/redoc',
  '/v1/docs',
  '/openapi.json',
  '/openapi.yaml',
  '/v1/openapi.json',
  '/v1/postman_collection.json',
  '/v1/postman_environment.json',
  '/docs/assets/swagger-ui.css',
  '/docs/assets/redoc.standalone.js'
]

interface Document {
  openapi: string
  info: { version: string }
  tags: { name: string }[]
  'x-tagGroups': { name: string; tags: string[] }[]
  paths: Record<string, Record<string, { tags?: string[] }>>
}

test('pages, files and assets of the reference are served, and loaded from this server only', async () => {
  for (const path of reference) assert.equal((await fetch(url + path)).status, 200, path)
  for (const path of ['/docs', '/redoc', '/v1/docs']) {
    const page = await fetch(url + path)
    const html = await page.text()
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/)
    for (const [, source = ''] of html.matchAll(/(?:src|href|url)="([^"]*)"/g)) {
      assert.match(source, /^\/[^/]/)
      assert.equal((await fetch(url + source)).status, 200, source)
    }
  }
})

test('one switch turns the whole reference off, and leaves the pages of errors', async (t) => {
  const { url } = await startApp(t, { env: { ATLAS_DOCS_ENABLED: 'false' } })
  for (const path of [...reference, '/']) {
    const response = await fetch(url + path)
    assert.equal(response.status, 404, path)
    assert.equal(response.headers.get('content-type'), 'application/problem+json')
  }
  assert.equal((await fetch(`${url}/errors/not-found`)).status, 200)
})

test('the root leads to the reference', async () => {
  const response = await fetch(url, { redirect: 'manual' })
  assert.equal(response.status, 302)
  assert.equal(response.headers.get('location'), '/docs')
})

test('the served document is the bundled one, byte for byte, with the package version and grouped tags', async () => {
  const text = await (await fetch(`${url}/openapi.json`)).text()
  assert.equal(text, readFileSync(join(root, 'spec/generated/openapi.json'), 'utf8'))
  assert.equal(await (await fetch(`${url}/v1/openapi.json`)).text(), text)
  const document = JSON.parse(text) as Document
  assert.deepEqual(parse(await (await fetch(`${url}/openapi.yaml`)).text()), document)
  assert.equal(document.openapi, '3.1.0')
  assert.equal(document.info.version, version)
  const grouped = document['x-tagGroups'].flatMap((group) => group.tags)
  assert.deepEqual(grouped.toSorted(), document.tags.map((tag) => tag.name).toSorted())
  assert.equal(new Set(grouped).size, grouped.length)
})

test('each download has the name that its readers expect', async () => {
  for (const name of ['openapi', 'postman_collection', 'postman_environment']) {
    const response = await fetch(`${url}/v1/${name}.json`)
    assert.equal(response.headers.get('content-disposition'), `attachment; filename="atlas-public-api.${name}.json"`)
    assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
  }
})

test('a client that has the current document gets 304 without a body', async () => {
  for (const path of [
    '/openapi.json',
    '/openapi.yaml',
    '/v1/openapi.json',
    '/v1/postman_collection.json',
    '/v1/postman_environment.json'
  ]) {
    const etag = (await fetch(url + path)).headers.get('etag') ?? ''
    assert.match(etag, /^"[\w-]+"$/)
    const again = await fetch(url + path, { headers: { 'if-none-match': `"other", W/${etag}` } })
    assert.equal(again.status, 304)
    assert.equal(await again.text(), '')
    assert.equal((await fetch(url + path, { headers: { 'if-none-match': '"other"' } })).status, 200)
  }
})

test('every error code has a page that says what it means and what to do', async () => {
  const index = await (await fetch(`${url}/errors`)).text()
  assert.ok(problemKinds.size > 10)
  for (const [slug, kind] of problemKinds) {
    assert.ok(index.includes(`href="/errors/${slug}"`), slug)
    const page = await fetch(`${url}/errors/${slug}`)
    assert.equal(page.status, 200)
    const text = await page.text()
    assert.ok(text.includes(`<code>${kind.code}</code>`) && text.includes(`Status ${kind.status}`), slug)
    const json = (await (
      await fetch(`${url}/errors/${slug}`, { headers: { accept: 'application/json' } })
    ).json()) as Record<string, unknown>
    assert.deepEqual(json, { ...kind, type: `/errors/${slug}` })
  }
})

test('the type of a problem leads to its page', async (t) => {
  const { url } = await startApp(t, { env: { ATLAS_PUBLIC_URL: 'https://api.example.com' } })
  const problem = (await (await fetch(`${url}/nowhere`)).json()) as { type: string }
  assert.equal(problem.type, 'https://api.example.com/errors/not-found')
  assert.equal((await fetch(url + new URL(problem.type).pathname)).status, 200)
})

test('an unknown error type is 404 as a page or a problem, and its path is escaped', async () => {
  const path = `${url}/errors/${encodeURIComponent('<img src=x onerror=alert(1)>')}`
  const page = await fetch(path, { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } })
  assert.equal(page.status, 404)
  assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
  assert.ok(!(await page.text()).includes('<img'))
  const problem = await fetch(path)
  assert.equal(problem.status, 404)
  assert.equal(problem.headers.get('content-type'), 'application/problem+json')
})

test('escaped text holds no character that could open an element or end an attribute', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => !/[<>"']|&(?!(amp|lt|gt|quot|#39);)/.test(escapeHtml(text)))
  )
})

test('Accept follows RFC 9110: the most specific range decides, the highest quality wins, q=0 refuses', async () => {
  const offered = ['text/html', 'application/json'] as const
  assert.equal(prefers(undefined, offered), 'text/html')
  assert.equal(prefers('*/*', offered), 'text/html')
  assert.equal(prefers('application/json', offered), 'application/json')
  assert.equal(prefers('text/html;q=0.5, application/*', offered), 'application/json')
  assert.equal(prefers('text/html;q=0, */*;q=0.1', offered), 'application/json')
  assert.equal(prefers('image/png', offered), undefined)
})

test('an asset outside the list does not exist, whatever the path tries', async () => {
  for (const name of ['plugin.ts', '..%2Fplugin.ts', '%2e%2e%2f%2e%2e%2fpackage.json', 'constructor', '__proto__']) {
    assert.equal((await fetch(`${url}/docs/assets/${name}`)).status, 404, name)
  }
})

test('the export needs no database and no environment, and equals the served bytes', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'atlas-export-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const format of ['json', 'yaml']) {
    const out = join(folder, `openapi.${format}`)
    await run(process.execPath, [...scriptToRun('scripts/export-openapi.ts'), '--out', out, '--format', format], {
      cwd: root,
      env: {}
    })
    assert.equal(readFileSync(out, 'utf8'), await (await fetch(`${url}/openapi.${format}`)).text())
  }
})
