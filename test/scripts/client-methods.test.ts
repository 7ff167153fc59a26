import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { bundle } from '../../scripts/generate/bundle.ts'
import { clientMethods } from '../../scripts/generate/methods.ts'
import type { OperationObject, SpecFolder } from '../../scripts/generate/model.ts'
import { SpecError, operationsOf } from '../../scripts/generate/model.ts'
import { readSpec } from '../../scripts/generate/read.ts'

const fixture = fileURLToPath(new URL('../fixtures/spec', import.meta.url))

/** The fixture's specification, with its first operations changed one by one. */
const changed = (...changes: ((operation: OperationObject) => void)[]): SpecFolder => {
  const spec = readSpec(fixture)
  const operations = spec.groups
    .flatMap(({ content }) => [...operationsOf(content.paths)])
    .map(({ operation }) => operation)
  changes.forEach((change, index) => change(operations[index] as OperationObject))
  return spec
}

const namesOf = (spec: SpecFolder): string[] =>
  clientMethods(bundle(spec, '1.0.0')).map(({ resource, name }) => `${resource}.${name}`)
const refuses = (spec: SpecFolder, message: RegExp) =>
  assert.throws(
    () => bundle(spec, '1.0.0'),
    (error) => error instanceof SpecError && message.test(error.message)
  )

const named = (operationId: string, client?: string) => (operation: OperationObject) => {
  operation.operationId = operationId
  if (client !== undefined) operation['x-client'] = client
}

test('an operationId of verb and noun becomes a method of the noun’s resource', async () => {
  for (const [operationId, expected] of [
    ['listTasks', 'tasks.list'],
    ['createTransfer', 'transfers.create'],
    ['linkAccounts', 'accounts.link'],
    ['getCategory', 'categories.get'],
    ['getApiKey', 'apiKeys.get'],
    ['createDay', 'days.create']
  ] as const) {
    assert.ok(namesOf(changed(named(operationId))).includes(expected), expected)
  }
})

test('an operation can override the name of its method', async () => {
  assert.ok(namesOf(changed(named('getCashflowForecast', 'insights.getCashflow'))).includes('insights.getCashflow'))
})

test('two operations with the same method name are rejected, whether derived or set by x-client', async () => {
  refuses(
    changed(named('ingestEvent'), named('ingestEvents')),
    /ingestEvents? and ingestEvents? are both events\.ingest in the client\. Set x-client: resource\.method on one/
  )
  refuses(changed(named('getNest', 'nests.find'), named('findNest')), /are both nests\.find/)
})

test('an x-client that is not `resource.method` is rejected', async () => {
  for (const wrong of ['insights', 'a.b.c', 'Insights.get', 3])
    refuses(
      changed((operation) => (operation['x-client'] = wrong)),
      /x-client is .*\. Write resource\.method/
    )
})

test('every operation gets a sample in each language', async () => {
  const { document } = bundle(readSpec(fixture), '1.0.0')
  for (const { operation } of operationsOf(document.paths)) {
    assert.deepEqual(
      (operation['x-codeSamples'] as { label: string }[]).map(({ label }) => label),
      ['curl', 'TypeScript', 'Python']
    )
  }
})
