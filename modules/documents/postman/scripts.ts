import type { Step } from './document.ts'

/** A script in Postman's format, one entry per line. */
const event = (listen: 'prerequest' | 'test', exec: string[]) => ({ listen, script: { type: 'text/javascript', exec } })

/**
 * Runs before every request. A key from the environment is sent unchanged, so that a request can be repeated with it. Otherwise each request gets
 * a new key: local variables outlive a request in a run, and the next operation would reject a used key with 422.
 */
export const fillIdempotencyKey = event('prerequest', [
  "const given = pm.environment.get('idempotencyKey') || pm.collectionVariables.get('idempotencyKey')",
  "const key = given || pm.variables.replaceIn('{{$guid}}')",
  "pm.variables.set('idempotencyKey', key)",
  "if (pm.request.headers.has('Idempotency-Key')) pm.collectionVariables.set('lastIdempotencyKey', key)"
])

/** Saves values for later requests. A value that the user has put into the environment stays. */
const saveLines = (saves: Record<string, string>): string[] => [
  'if (pm.response.code < 300) {',
  '  const body = pm.response.json()',
  '  const find = (list, [name, value]) => list.find((entry) => String(entry[name]) === value)',
  "  const step = (node, name) => (name.includes('=') ? find(node, name.split('=')) : node[name])",
  "  const at = (path) => path.split('.').reduce((node, name) => (node === undefined || node === null ? undefined : step(node, name)), body)",
  '  const save = (name, path) => {',
  '    const value = at(path)',
  '    if (value === undefined || value === null) return',
  '    if (!pm.environment.has(name)) pm.collectionVariables.set(name, value)',
  '    else if (!pm.environment.get(name)) pm.environment.set(name, value)',
  '  }',
  ...Object.entries(saves).map(([name, path]) => `  save(${JSON.stringify(name)}, ${JSON.stringify(path)})`),
  '}'
]

export interface Expectation {
  step: Step
  /** The success statuses of the operation in the specification. */
  successes: number[]
  /** The variable of a credential that only the server's operator has. While it is empty, the expected status is 401 or 403. */
  operatorsVariable?: string | undefined
}

/** Builds the test of a request: it asserts a status of the specification and saves the values that later requests need. */
export const createTest = ({ step, successes, operatorsVariable }: Expectation) => {
  const statuses = step.expects === undefined ? successes : [step.expects]
  const accepted = JSON.stringify(statuses)
  const expected =
    operatorsVariable === undefined
      ? accepted
      : `pm.variables.get(${JSON.stringify(operatorsVariable)}) ? ${accepted} : [401, 403]`
  return event('test', [
    `const expected = ${expected}`,
    "pm.test('returns ' + expected.join(' or '), () => pm.expect(pm.response.code, pm.response.text().slice(0, 500)).to.be.oneOf(expected))",
    ...(step.saves === undefined ? [] : saveLines(step.saves))
  ])
}
