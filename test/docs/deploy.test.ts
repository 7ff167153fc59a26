import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { loadConfig, settingNames } from '../../plugins/config/index.ts'
import { version } from '../../plugins/version.ts'
import { allOperations } from '../../spec/generated/index.ts'

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the test asserts every part of the manifests that it reads
type Manifest = any

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

const manifests: Manifest[] = parseAllDocuments(read('docs/deploy/kubernetes.yaml')).map((document) => {
  assert.deepEqual([...document.errors, ...document.warnings], [])
  return document.toJS()
})
const ofKind = (kind: string): Manifest => {
  const found = manifests.filter((manifest) => manifest.kind === kind)
  assert.equal(found.length, 1, kind)
  return found[0]
}
const podOf = (kind: string): Manifest => ofKind(kind).spec.template.spec
const containers = ['Deployment', 'Job'].flatMap((kind) => podOf(kind).containers as Manifest[])

/** The settings that the commands at the top of the manifest put into the secret. */
const secretNames = [...read('docs/deploy/kubernetes.yaml').matchAll(/--from-literal=(\w+)=/g)].map(
  ([, name]) => name ?? ''
)

const compose: Manifest = parse(read('docs/deploy/compose.yaml'), { merge: true })

/** A production configuration with an example's settings, validated by the server's own code. */
const configOf = (settings: Record<string, string>) =>
  loadConfig({
    NODE_ENV: 'production',
    DATABASE_URL: 'postgres://db/x',
    ATLAS_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
    ATLAS_JWT_SECRET: 'x'.repeat(32),
    ...settings
  })

test('every setting in the examples exists, and the README lists every setting', async () => {
  const known = settingNames()
  const used = [
    ...Object.keys(ofKind('ConfigMap').data as object),
    ...secretNames,
    ...containers.flatMap(({ env = [] }) => (env as { name: string }[]).map(({ name }) => name)),
    ...['app-1', 'migrate'].flatMap((service) => Object.keys(compose.services[service].environment as object))
  ]
  assert.ok(used.length > 15)
  for (const name of used) assert.ok(known.has(name), name)
  const readme = read('README.md')
  for (const name of known) assert.ok(readme.includes(`\`${name}\``), `${name} is not in the README`)
})

test('the examples contain the settings that production requires, with valid values', async () => {
  for (const name of ['DATABASE_URL', 'ATLAS_ENCRYPTION_KEY', 'ATLAS_JWT_SECRET']) {
    assert.ok(secretNames.includes(name), name)
    assert.ok(name in compose.services['app-1'].environment, name)
  }
  const cluster = configOf(ofKind('ConfigMap').data)
  assert.ok(podOf('Deployment').terminationGracePeriodSeconds * 1000 >= cluster.drainDelayMs + 30_000)
  const {
    DATABASE_URL: _url,
    ATLAS_ENCRYPTION_KEY: _key,
    ATLAS_JWT_SECRET: _secret,
    ...ofOne
  } = compose.services['app-1'].environment
  assert.ok(parseInt(compose.services['app-1'].stop_grace_period, 10) * 1000 >= configOf(ofOne).drainDelayMs + 30_000)
})

test('the probes request existing paths, and the ports are those on which the server listens', async () => {
  const paths = Object.values(allOperations)
    .filter(({ method }) => method === 'GET')
    .map(({ path }) => path as string)
  const [api] = podOf('Deployment').containers as Manifest[]
  const ports = Object.fromEntries(
    (api.ports as { name: string; containerPort: number }[]).map(({ name, containerPort }) => [name, containerPort])
  )
  const config = configOf(ofKind('ConfigMap').data)
  assert.deepEqual(ports, { http: config.port, metrics: config.metricsPort })
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
    assert.ok(paths.includes(api[probe].httpGet.path), probe)
    assert.equal(api[probe].httpGet.port, 'http')
  }
  const { annotations } = ofKind('Deployment').spec.template.metadata
  assert.equal(annotations['prometheus.io/port'], String(ports.metrics))
  assert.equal(ofKind('Service').spec.ports[0].targetPort, 'http')
  assert.deepEqual(
    ofKind('NetworkPolicy').spec.ingress.map((rule: Manifest) => rule.ports[0].port),
    ['http', 'metrics']
  )
})

test('selectors match the pods of the deployment, and not those of the migration', async () => {
  const matches = (selector: object, kind: string): boolean =>
    Object.entries(selector).every(([name, value]) => ofKind(kind).spec.template.metadata.labels[name] === value)
  const selectors = [
    ofKind('Deployment').spec.selector.matchLabels,
    ofKind('Service').spec.selector,
    ofKind('PodDisruptionBudget').spec.selector.matchLabels,
    ofKind('NetworkPolicy').spec.podSelector.matchLabels,
    podOf('Deployment').topologySpreadConstraints[0].labelSelector.matchLabels
  ]
  for (const selector of selectors)
    assert.deepEqual([matches(selector, 'Deployment'), matches(selector, 'Job')], [true, false])
  assert.equal(ofKind('HorizontalPodAutoscaler').spec.scaleTargetRef.name, ofKind('Deployment').metadata.name)
})

test('containers run this version, without privileges, on a read-only file system', async () => {
  for (const kind of ['Deployment', 'Job']) {
    assert.equal(podOf(kind).securityContext.runAsNonRoot, true)
    assert.equal(podOf(kind).automountServiceAccountToken, false)
  }
  for (const { image, securityContext, resources } of containers) {
    assert.ok(String(image).endsWith(`/atlasforge:${version}`), image)
    assert.deepEqual(securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] }
    })
    assert.ok(resources.limits.memory)
  }
  for (const service of ['app-1', 'app-2'])
    assert.deepEqual([compose.services[service].read_only, compose.services[service].cap_drop], [true, ['ALL']])
})

test('the autoscaler’s maximum of instances fits the default connection limit of PostgreSQL', async () => {
  const { databasePoolSize } = configOf(ofKind('ConfigMap').data)
  // One more per instance for the locks. PostgreSQL allows 100 connections, 3 of them reserved for superusers.
  assert.ok(ofKind('HorizontalPodAutoscaler').spec.maxReplicas * (databasePoolSize + 1) <= 97)
})

test('nginx accepts its configuration, which lists every instance of the Compose example', async (t) => {
  const text = read('docs/deploy/nginx.conf')
  const servers = [...text.matchAll(/server (app-\d):(\d+)/g)].map(([, host, port]) => [host, Number(port)])
  assert.deepEqual(
    servers,
    Object.keys(compose.services)
      .filter((name) => name.startsWith('app-'))
      .map((name) => [name, configOf({}).port])
  )
  const folder = mkdtempSync(join(tmpdir(), 'atlas-nginx-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'nginx.conf')
  // Replaces hosts that only Compose resolves, and files that only root may write.
  writeFileSync(
    path,
    `pid ${folder}/nginx.pid;\n${text
      .replaceAll(/app-\d:/g, '127.0.0.1:')
      .replaceAll('/dev/stdout', `${folder}/access`)
      .replaceAll('/dev/stderr', `${folder}/error`)}`
  )
  const { status, stderr, error } = spawnSync('nginx', ['-t', '-c', path, '-p', folder], { encoding: 'utf8' })
  if (error !== undefined) return t.plan(0, 'nginx is not installed')
  assert.equal(status, 0, stderr)
})
