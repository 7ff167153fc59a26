import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundle } from '../../scripts/build/bundle.ts'

const into = join(process.cwd(), 'bundled')
const functions = 'plugins/database/functions'

/**
 * Stryker runs this in its copy of the project, because it starts the same tests a thousand times. A server registers the domains whose folders it finds, and the
 * compiled folder contains only those of the area.
 */
const { values } = parseArgs({
  options: {
    domain: { type: 'string', multiple: true, default: [] },
    test: { type: 'string', multiple: true, default: [] }
  }
})
await bundle({
  entryPoints: [
    ...values.test.map((path) => `test/${path}.test.ts`),
    ...values.domain.map((domain) => `modules/${domain}/plugin.ts`)
  ],
  outdir: into,
  home: into
})
await cp('spec/generated/openapi.json', join(into, 'spec/generated/openapi.json'))
await cp(functions, join(into, functions), { recursive: true })
