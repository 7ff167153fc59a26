import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { before, t, test } from 'tap'
import { buildClient } from '../../scripts/build/client.ts'
import { startApp } from '../build-app.ts'
import { skip, startBrowser } from '../browser/browser.ts'
import { createPartner } from '../credentials.ts'
import { samples } from './samples.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const folder = mkdtempSync(join(tmpdir(), 'atlas-client-'))
const [built, consumer] = [join(folder, 'built'), join(folder, 'consumer')]
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

/** The paths in the tarball. */
let files: string[] = []

/** Installs the packed tarball in an empty folder, as an integrator does. */
before(async () => {
  buildClient(built)
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder, built])
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
  const { filename } = packed
  files = packed.files.map(({ path }) => path)
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }')
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(folder, filename)], { cwd: consumer })
})

const compile = async (file: string, source: string, module: 'nodenext' | 'bundler'): Promise<void> => {
  writeFileSync(join(consumer, file), source)
  const options = {
    target: 'es2022',
    lib: ['ES2022', 'DOM'],
    types: [],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    module: module === 'bundler' ? 'esnext' : module,
    moduleResolution: module,
    outDir: 'out'
  }
  writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: [file] }))
  await run(process.execPath, [compiler, '-p', consumer]).catch((error: { stdout?: string }) =>
    assert.fail(error.stdout ?? String(error))
  )
}

/** The reference's example with another import name, address and ids, plus checks of its types. */
const example = `import { AtlasProblem, createAtlasClient, verifyWebhook } from 'atlasforge/client'

declare const process: { env: Record<string, string | undefined> }

const atlas = createAtlasClient({
  baseUrl: process.env.ATLAS_URL ?? '',
  // PATs are passed verbatim - no refresh logic needed.
  getAccessToken: () => process.env.ATLAS_API_KEY ?? null,
});

const { items } = await atlas.tasks.list({ limit: 50 });
const created = await atlas.tasks.create({
  projectId: process.env.PROJECT_ID ?? '',
  title: 'Review Q3 forecast',
  priority: 'HIGH',
});

const priority: 'LOW' | 'MEDIUM' | 'HIGH' | 'URGENT' = created.priority
let walked = 0
for await (const task of atlas.tasks.list.all({ limit: 1 })) walked += task.title.length > 0 ? 1 : 0
const code = await atlas.tasks.get('tsk_unknown').catch((error: unknown) => (error instanceof AtlasProblem ? error.code : 'other'))
void atlas.tasks.delete('tsk_unknown').then((nothing: void) => nothing).catch(() => undefined)

// @ts-expect-error a priority that does not exist
void (() => atlas.tasks.create({ projectId: 'p', title: 't', priority: 'SOON' }))
// @ts-expect-error a parameter that does not exist
void (() => atlas.tasks.list({ limits: 50 }))
// @ts-expect-error a feed has no single list
void (() => atlas.transactions.list.all({ user_id: 'usr_1' }))
void (async () => {
  const event = await verifyWebhook({ rawBody: '', headers: new Headers(), secret: 's' })
  if (event.type === 'transfer.settled') event.data.transfer_id satisfies string
})

console.log(JSON.stringify({ before: items.length, priority, walked, code }))
`

test('installing the client installs nothing else', async () => {
  const { stdout } = await run('npm', ['ls', '--all', '--parseable'], { cwd: consumer })
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((path) => path.split('/').at(-1)),
    ['atlasforge']
  )
})

test('the tarball holds the client, a README, the licence and no invented addresses', async () => {
  assert.deepEqual(files.filter((path) => !/^(client|spec\/generated)\/[\w-]+\.(js|d\.ts)$/.test(path)).toSorted(), [
    'LICENSE',
    'README.md',
    'package.json'
  ])
  const manifest = JSON.parse(readFileSync(join(built, 'package.json'), 'utf8')) as Record<string, unknown>
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>
  for (const name of ['name', 'version', 'license', 'engines', 'repository', 'homepage', 'bugs'])
    assert.deepEqual(manifest[name], own[name], name)
  assert.equal(manifest.license, 'MIT')
  assert.match(readFileSync(join(built, 'LICENSE'), 'utf8'), /^MIT License/)
  const readme = readFileSync(join(built, 'README.md'), 'utf8')
  // Relative links lead nowhere outside the repository.
  assert.doesNotMatch(readme, /\]\(/)
  const [, sample = ''] = /```ts\n([^]*?)```/.exec(readme) ?? []
  await compile(
    'readme.ts',
    `declare const process: { env: Record<string, string | undefined> }\n${sample}\nvoid [AtlasProblem, verifyWebhook, items]\n`,
    'nodenext'
  )
})

test('JavaScript and TypeScript import the client as atlasforge and as atlasforge/client', async () => {
  const source = `import { createAtlasClient } from 'atlasforge'
import * as same from 'atlasforge/client'
console.log(createAtlasClient === same.createAtlasClient, typeof createAtlasClient)`
  writeFileSync(join(consumer, 'plain.js'), source)
  const { stdout } = await run(process.execPath, [join(consumer, 'plain.js')])
  assert.equal(stdout.trim(), 'true function')
  for (const module of ['nodenext', 'bundler'] as const)
    await compile('both.ts', `declare const console: { log(...values: unknown[]): void }\n${source}`, module)
})

test('the package of the server exports the client at the path of the build output', async () => {
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const alone = JSON.parse(readFileSync(join(built, 'package.json'), 'utf8'))
  assert.deepEqual(own.files, ['dist'])
  for (const entry of ['.', './client']) {
    for (const kind of ['types', 'default'])
      assert.equal(own.exports[entry][kind], alone.exports[entry][kind].replace('./', './dist/client/'))
  }
})

test('the client example compiles strictly for bundlers and for Node.js without Node.js types, and runs', async (t) => {
  await compile('example.ts', example, 'bundler')
  await compile('example.ts', example, 'nodenext')
  const { url, database } = await startApp(t)
  const { testKey } = await createPartner(database)
  const response = await fetch(`${url}/v1/projects`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' },
    body: '{"name": "Forecasts"}'
  })
  const { id } = (await response.json()) as { id: string }
  const { stdout } = await run(process.execPath, [join(consumer, 'out/example.js')], {
    env: { ATLAS_URL: url, ATLAS_API_KEY: testKey, PROJECT_ID: id }
  })
  assert.deepEqual(JSON.parse(stdout), { before: 0, priority: 'HIGH', walked: 1, code: 'not_found' })
})

test('every TypeScript sample of the reference compiles', async () => {
  const all = samples('TypeScript')
  const firstLine = "import { createAtlasClient } from 'atlasforge/client'"
  const functions = all.map(({ operationId, source }) => {
    assert.ok(source.startsWith(firstLine))
    return `export const ${operationId} = async () => {\n${source.slice(firstLine.length)}\n}`
  })
  await compile(
    'samples.ts',
    `${firstLine}\ndeclare const process: { env: Record<string, string | undefined> }\n${functions.join('\n')}\n`,
    'bundler'
  )
  assert.ok(all.length > 90)
})

test('a browser loads the client as modules and calls the server that served the page', { skip }, async (t) => {
  const { url, database } = await startApp(t)
  const { testKey } = await createPartner(database)
  const { page, faults } = await (await startBrowser(t))(url, '/api/v1/health')
  await page.route(`${url}/page/**`, (route) => {
    const path = new URL(route.request().url()).pathname.replace('/page/', '')
    if (path === '') return route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>A page</title>' })
    return route.fulfill({ contentType: 'text/javascript', body: readFileSync(join(built, path), 'utf8') })
  })
  await page.goto(`${url}/page/`)
  const result: unknown = await page.evaluate(
    `import('/page/client/index.js').then(async ({ createAtlasClient }) => {
      const atlas = createAtlasClient({ baseUrl: location.origin, getAccessToken: () => ${JSON.stringify(testKey)} })
      const project = await atlas.projects.create({ name: 'From a browser' })
      return [project.name, (await atlas.projects.list()).items.length]
    })`
  )
  assert.deepEqual(result, ['From a browser', 1])
  assert.deepEqual(faults.errors, [])
})
