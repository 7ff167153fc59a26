import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'

const root = fileURLToPath(new URL('../..', import.meta.url))

const sourcesIn = (folders: string[]): string[] =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(join(root, folder, path), 'utf8'))
  )

const product = [readFileSync(join(root, 'app.ts'), 'utf8'), ...sourcesIn(['plugins', 'modules'])]

/** The packages that the product is built on, and the file that must import each. */
const packages = {
  fastify: product,
  '@fastify/swagger': product,
  '@fastify/rate-limit': product,
  '@sinclair/typebox': product,
  kysely: product,
  pg: product,
  plaid: product,
  stripe: product,
  'openapi-typescript': sourcesIn(['scripts/generate']),
  tap: sourcesIn(['test'])
}

for (const [name, sources] of Object.entries(packages)) {
  test(`${name} is imported where it is used`, async () => {
    // A type-only import does not use the package at run time.
    const imported = new RegExp(`^import (?!type )[^']*from '${name}'|await import\\('${name}'\\)`, 'm')
    assert.ok(sources.some((source) => imported.test(source)))
  })
}
