import assert from 'node:assert/strict'
import { join } from 'node:path'
import { t, test } from 'tap'
import { tsImport } from 'tsx/esm/api'
import type { ToolTemplate } from '../../plugins/mcp/template.ts'
import { generateFixture } from './generated.ts'

const { out } = generateFixture(t)

test('a marked operation becomes a tool with one flat arguments object and derived hints', async () => {
  const { tools } = (await tsImport(join(out, 'tools.ts'), import.meta.url)) as { tools: ToolTemplate[] }
  assert.deepEqual(tools, [
    {
      name: 'rename_bird',
      operationId: 'renameBird',
      title: 'Rename',
      description: 'Gives a bird another name.',
      inputSchema: {
        type: 'object',
        properties: {
          id: { type: 'string', maxLength: 20 },
          if_match: { type: 'string', maxLength: 22, default: '*' },
          name: { type: 'string', maxLength: 20 },
          loud: { type: 'boolean' }
        },
        required: ['id', 'name'],
        additionalProperties: false
      },
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
      places: {
        id: { in: 'path', name: 'id', required: true },
        if_match: { in: 'header', name: 'If-Match', required: false },
        name: { in: 'body', name: 'name', required: true },
        loud: { in: 'body', name: 'loud', required: false }
      },
      sendsBody: true,
      defaults: { if_match: '*' }
    }
  ])
})
