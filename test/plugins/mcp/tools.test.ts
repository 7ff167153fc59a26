import assert from 'node:assert/strict'
import ajvFormats from 'ajv-formats'
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { t, test } from 'tap'
import type { ToolTemplate } from '../../../plugins/mcp/template.ts'
import type { Operation } from '../../../plugins/operations/table.ts'
import { tools } from '../../../spec/generated/tools.ts'
import { bodyOf, examplesOf, operations, parametersOf, sampleOf } from '../../architecture/document.ts'
import { Walker } from '../../architecture/walker.ts'
import { startApp } from '../../build-app.ts'
import { call, connect } from './client.ts'

const server = await startApp(t)

const operationOf = ({ operationId }: ToolTemplate): Operation => {
  const found = operations.find((operation) => operation.operationId === operationId)
  assert.ok(found, operationId)
  return found
}

/** Arguments from the specification's examples: the required parameters, and all fields of the body. */
const exampleArguments = (template: ToolTemplate): Record<string, unknown> => {
  const operation = operationOf(template)
  const parameters = parametersOf(operation).filter(
    (parameter) => parameter.required === true || parameter.name === 'Idempotency-Key'
  )
  const named = Object.entries(template.places).flatMap(([name, place]) => {
    const parameter =
      place.in === 'body' ? undefined : parameters.find((one) => one.name === place.name && one.in === place.in)
    return parameter === undefined ? [] : [[name, sampleOf(parameter)] as const]
  })
  const media = bodyOf(operation)['application/json']
  return { ...(media === undefined ? {} : (examplesOf(media)[0] as object)), ...Object.fromEntries(named) }
}

test('there are tools to move money, to read data and for agents', async () => {
  const names = tools.map(({ name }) => name)
  for (const name of ['create_transfer', 'list_transactions', 'spend_credits', 'request_loan'])
    assert.ok(names.includes(name), name)
  assert.equal(new Set(names).size, names.length)
})

test('tool schemas are valid in JSON Schema 2020-12 and draft 7, self-contained, with object arguments', async () => {
  // Validated against the meta-schemas and not compiled, because compiling would block the process until connections time out.
  const drafts = [new Ajv2020({ strict: false }), new Ajv({ strict: false })]
  for (const { name, inputSchema, outputSchema } of tools) {
    for (const schema of [inputSchema, outputSchema]) {
      if (schema === undefined) continue
      assert.equal(schema.type, 'object', name)
      assert.equal(/"(\$ref|x-[\w-]+)"/.test(JSON.stringify(schema)), false, name)
      for (const draft of drafts)
        assert.equal(draft.validateSchema(schema), true, `${name}: ${draft.errorsText(draft.errors)}`)
    }
    assert.deepEqual(
      Object.keys(inputSchema).filter((keyword) => ['oneOf', 'anyOf', 'allOf', 'not'].includes(keyword)),
      [],
      name
    )
  }
})

test('no tool returns a key, token or signing secret', async () => {
  for (const { name, outputSchema } of tools) {
    assert.equal(
      /"(api_key|key|token|access_token|secret|password|link_token)":/.test(JSON.stringify(outputSchema ?? {})),
      false,
      name
    )
  }
})

test('tools for idempotent writes require an idempotency key, and tool hints match the specification', async () => {
  for (const template of tools) {
    const { name, annotations, inputSchema } = template
    const { method, idempotent } = operationOf(template)
    assert.equal(annotations.readOnlyHint && annotations.destructiveHint, false, name)
    if (method === 'GET') assert.equal(annotations.readOnlyHint, true, name)
    if (method === 'DELETE') assert.equal(annotations.destructiveHint, true, name)
    assert.equal(
      inputSchema.required?.includes('idempotency_key') ?? false,
      idempotent && !annotations.readOnlyHint,
      name
    )
  }
  for (const name of ['create_transfer', 'spend_credits', 'repay_loan'])
    assert.equal(tools.find((tool) => tool.name === name)?.annotations.destructiveHint, true, name)
})

test("every tool accepts the specification's example arguments, and its results match its schema", async (t) => {
  const walker = new Walker(server)
  const ajv = new Ajv2020({ strict: false })
  ajvFormats.default(ajv)
  let succeeded = 0
  for (const template of tools) {
    const operation = operationOf(template)
    const given = exampleArguments(template)
    const accepts = ajv.compile(template.inputSchema)
    walker.expect(operation, accepts(given), `its schema rejects the example: ${ajv.errorsText(accepts.errors)}`)
    const { key = await walker.token([]) } = await walker.credentialFor(operation)
    const client = await connect(t, server.url, key)
    const listed = (await client.listTools()).tools.map(({ name }) => name)
    walker.expect(operation, listed.includes(template.name), 'is not shown to a caller that may use it')
    const { failed, body, result } = await call(client, template.name, given)
    const status = failed ? Number(body.status) : 200
    walker.expect(
      operation,
      body.error !== 'validation_failed' && body.error !== 'malformed_json' && status < 500,
      `returned ${JSON.stringify(body).slice(0, 300)}`
    )
    walker.expect(operation, !failed || String(status) in operation.schema.response, `returned ${status}`)
    if (failed) continue
    succeeded += 1
    const describes = ajv.compile(template.outputSchema ?? { type: 'object' })
    walker.expect(
      operation,
      describes(result.structuredContent ?? {}),
      `its result does not match its schema: ${ajv.errorsText(describes.errors)}`
    )
  }
  assert.deepEqual(walker.faults, [])
  assert.ok(succeeded > tools.length / 3, `${succeeded} of ${tools.length} succeeded`)
})
