import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { t, test } from 'tap'
import { parse } from 'yaml'
import { problemKinds } from '../../../plugins/http/errors/problem.ts'
import { prefers } from '../../../plugins/http/negotiation.ts'
import { escapeHtml } from '../../../plugins/http/pages.ts'
import { version } from '../../../plugins/version.ts'
import { startApp } from '../../build-app.ts'
import { root, scriptToRun } from '../../machines/scripts.ts'

const run = promisify(execFile)

let threads = 0
process.on('worker', () => threads++)

/** One server for all tests without special settings. */
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
  '/docs/json',
  '/docs/yaml',
  '/docs/static/swagger-ui.css',
  '/docs/static/swagger-initializer.js',
  '/docs/assets/redoc.standalone.js'
]

interface Document {
  openapi: string
  info: { version: string; description: string; contact: { url?: string; email?: string } }
  tags: { name: string }[]
  'x-tagGroups': { name: string; tags: string[] }[]
  paths: Record<string, Record<string, { tags?: string[] }>>
}

test('the reference is served, and its pages load from this server only', async () => {
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

test('ATLAS_DOCS_ENABLED=false disables the whole reference but not the error pages', async (t) => {
  const { url } = await startApp(t, { env: { ATLAS_DOCS_ENABLED: 'false' } })
  for (const path of [...reference, '/']) {
    const response = await fetch(url + path)
    assert.equal(response.status, 404, path)
    assert.equal(response.headers.get('content-type'), 'application/problem+json')
  }
  assert.equal((await fetch(`${url}/errors/not-found`)).status, 200)
})

test('the root redirects to the reference', async () => {
  const response = await fetch(url, { redirect: 'manual' })
  assert.equal(response.status, 302)
  assert.equal(response.headers.get('location'), '/docs')
})

test('the served document equals the bundle, has the package version, and groups each tag once', async () => {
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

test('tags stand in the order of a first day, from Linking to Admin, also inside their groups', async () => {
  const { tags, 'x-tagGroups': groups } = (await (await fetch(`${url}/openapi.json`)).json()) as Document
  const names = tags.map(({ name }) => name)
  assert.deepEqual([names[0], names[1], names.at(-1)], ['Linking', 'Payments', 'Admin'])
  for (const group of groups)
    assert.deepEqual(
      group.tags,
      names.filter((name) => group.tags.includes(name)),
      group.name
    )
})

test('no contact and no link of the specification leads to a bare host or a placeholder', async () => {
  const { info, tags } = (await (await fetch(`${url}/openapi.json`)).json()) as Document
  // The operator of a server is unknown here.
  assert.deepEqual([info.contact.url, info.contact.email], [undefined, undefined])
  for (const text of [info, ...tags].map((part) => JSON.stringify(part)))
    for (const [link] of text.matchAll(/\bhttps?:\/\/[^\s"'`)\\]+/g))
      assert.ok(new URL(link).pathname.length > 1 && !link.includes('example'), link)
})

test('a thread prints the downloads, which would block the event loop', async () => {
  assert.equal((await fetch(`${url}/openapi.yaml`)).status, 200)
  assert.equal((await fetch(`${url}/docs/yaml`, { redirect: 'manual' })).headers.get('location'), '/openapi.yaml')
  assert(threads > 0)
})

test('each download has its documented file name', async () => {
  for (const name of ['openapi', 'postman_collection', 'postman_environment']) {
    const response = await fetch(`${url}/v1/${name}.json`)
    assert.equal(response.headers.get('content-disposition'), `attachment; filename="atlas-public-api.${name}.json"`)
    assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
  }
})

test('a client with the current document gets 304 without a body', async () => {
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

test('every error code has a page with its meaning and solution', async () => {
  const index = await (await fetch(`${url}/errors`)).text()
  assert.ok(problemKinds.size > 10)
  for (const [slug, kind] of problemKinds) {
    assert.ok(index.includes(`href="/errors/${slug}"`), slug)
    const page = await fetch(`${url}/errors/${slug}`)
    assert.equal(page.status, 200)
    const text = await page.text()
    assert.ok(text.includes(`<code>${kind.code}</code>`) && text.includes(`Status ${kind.status}`), slug)
    const shown = /<pre>([^]*)<\/pre>/.exec(text)?.[1]?.replaceAll('&quot;', '"').replaceAll('&#39;', "'") ?? ''
    const example = JSON.parse(shown.replaceAll('&amp;', '&')) as Record<string, unknown>
    const { type, title, error, requestId } = example
    assert.deepEqual([type, title, error], [`/errors/${slug}`, kind.code, kind.code])
    assert.ok(typeof requestId === 'string' && typeof example.detail === 'string', slug)
    const json = (await (
      await fetch(`${url}/errors/${slug}`, { headers: { accept: 'application/json' } })
    ).json()) as Record<string, unknown>
    assert.deepEqual(json, { ...kind, type: `/errors/${slug}` })
  }
})

test('the list of errors finds codes by status, code and words, and escapes the search', async () => {
  const accept = 'application/json'
  const find = async (q: string): Promise<string[]> => {
    const response = await fetch(`${url}/errors?${new URLSearchParams({ q }).toString()}`, { headers: { accept } })
    const { errors } = (await response.json()) as { errors: { code: string }[] }
    return errors.map(({ code }) => code)
  }
  assert.deepEqual(await find('insufficient_scope'), ['insufficient_scope'])
  assert.ok((await find('IDEMPOTENCY key')).includes('idempotency_conflict'))
  assert.ok((await find('429')).includes('rate_limited'))
  assert.equal((await find('')).length, problemKinds.size)
  const page = await (await fetch(`${url}/errors?q=insufficient-scope`)).text()
  assert.ok(page.includes('/errors/insufficient-scope') && !page.includes('/errors/not-found'))
  const none = await (await fetch(`${url}/errors?q=${encodeURIComponent('"><img src=x>')}`)).text()
  assert.ok(none.includes('No code matches') && !none.includes('<img'))
  assert.equal((await fetch(`${url}/errors?q=${'x'.repeat(101)}`)).status, 400)
})

test('a browser gets a page for an unknown path, which links to the reference only when it is enabled', async (t) => {
  const without = await startApp(t, { env: { ATLAS_DOCS_ENABLED: 'false' } })
  const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }
  for (const server of [url, without.url]) {
    const isEnabled = server === url
    const page = await fetch(`${server}/nowhere/${encodeURIComponent('<b>')}`, { headers: browser })
    assert.equal(page.status, 404)
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/)
    assert.equal(page.headers.get('vary'), 'accept')
    const text = await page.text()
    assert.ok(text.includes('href="/errors/not-found"') && !text.includes('<b>'))
    assert.equal(text.includes('/docs'), isEnabled)
    const problem = await fetch(`${server}/nowhere`)
    assert.equal(problem.headers.get('content-type'), 'application/problem+json')
    assert.equal(((await problem.json()) as { detail: string }).detail.includes('/docs'), isEnabled)
    // A client of the API that names no media type of its own, and one that posts, get the problem.
    assert.equal(
      (await fetch(`${server}/nowhere`, { method: 'POST', headers: browser })).headers.get('content-type'),
      'application/problem+json'
    )
    assert.equal(
      (await fetch(`${server}/v1/accounts`, { headers: browser })).headers.get('content-type'),
      'application/problem+json'
    )
  }
})

test('the type of a problem links to its page', async (t) => {
  const { url } = await startApp(t, { env: { ATLAS_PUBLIC_URL: 'https://api.example.com' } })
  const problem = (await (await fetch(`${url}/nowhere`)).json()) as { type: string }
  assert.equal(problem.type, 'https://api.example.com/errors/not-found')
  assert.equal((await fetch(url + new URL(problem.type).pathname)).status, 200)
})

test('an unknown error code is 404, as a page or a problem by Accept, with the path escaped', async () => {
  const path = `${url}/errors/${encodeURIComponent('<img src=x onerror=alert(1)>')}`
  const page = await fetch(path, { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } })
  assert.equal(page.status, 404)
  assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
  assert.ok(!(await page.text()).includes('<img'))
  const problem = await fetch(path)
  assert.equal(problem.status, 404)
  assert.equal(problem.headers.get('content-type'), 'application/problem+json')
})

test('escaped text cannot open an element or end an attribute', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => !/[<>"']|&(?!(amp|lt|gt|quot|#39);)/.test(escapeHtml(text)))
  )
})

test('Accept follows RFC 9110: most specific range, best quality, q=0 excludes', async () => {
  const offered = ['text/html', 'application/json'] as const
  assert.equal(prefers(undefined, offered), 'text/html')
  assert.equal(prefers('*/*', offered), 'text/html')
  assert.equal(prefers('application/json', offered), 'application/json')
  assert.equal(prefers('text/html;q=0.5, application/*', offered), 'application/json')
  assert.equal(prefers('text/html;q=0, */*;q=0.1', offered), 'application/json')
  assert.equal(prefers('image/png', offered), undefined)
})

test('asset paths reach no other file, whatever the path', async () => {
  for (const folder of ['assets', 'static']) {
    for (const name of ['plugin.ts', '..%2Fplugin.ts', '%2e%2e%2f%2e%2e%2fpackage.json', 'constructor', '__proto__'])
      assert.equal((await fetch(`${url}/docs/${folder}/${name}`)).status, 404, name)
  }
})

test('Swagger UI runs under a policy without inline scripts and styles, and with the standard headers', async () => {
  for (const method of ['GET', 'HEAD']) {
    const { status, headers } = await fetch(`${url}/docs`, { method })
    assert.equal(status, 200)
    assert.doesNotMatch(headers.get('content-security-policy') ?? '', /unsafe|https?:|\*/)
    assert.equal(headers.get('cache-control'), 'no-cache')
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    for (const name of ['x-request-id', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'])
      assert.ok(headers.has(name), name)
  }
  const asset = await fetch(`${url}/docs/static/swagger-ui-bundle.js`, { method: 'HEAD' })
  assert.equal(asset.headers.get('cache-control'), 'public, max-age=3600')
  assert.ok(asset.headers.has('x-ratelimit-limit'))
  const post = await fetch(`${url}/docs`, { method: 'POST' })
  assert.equal(post.status, 405)
  assert.equal(post.headers.get('allow'), 'GET, HEAD')
})

test('export:openapi needs no database and no environment, and writes the served bytes', async (t) => {
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
