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

/** A variable that a request needs, and the request that saves it. */
export interface Need {
  variable: string
  /** Whether the request needs it without containing it. */
  always: boolean
  savedBy: string
  /** The scopes that the request requires, and those that it needs variables of in turn. */
  scopes: string[]
}

/** Runs before a request that needs variables: skips it while one is empty, and names the scope that the saving request requires. */
export const skipWithout = (needs: Need[]) =>
  event('prerequest', [
    `const needs = ${JSON.stringify(needs)}`,
    'const sent = JSON.stringify(pm.request)',
    "const isUsed = ({ variable, always }) => always || sent.includes('{{' + variable + '}}')",
    'const missing = needs.filter((need) => isUsed(need) && !pm.variables.get(need.variable))',
    'for (const { variable, savedBy, scopes } of missing) {',
    "  const cure = scopes.length === 0 ? 'send that first' : 'that needs ' + scopes.join(', ')",
    "  pm.test.skip(savedBy + ': has not saved ' + variable + '; ' + cure, () => {})",
    '}',
    'if (missing.length > 0) pm.execution.skipRequest()'
  ])

/** Counts a response 403 `insufficient_scope` as skipped, and empties what the request saves, so that later requests do not use old values. */
const scopeLines = (saves: string[]): string[] => [
  "const isProblem = (pm.response.headers.get('Content-Type') || '').includes('problem+json')",
  'const problem = isProblem ? pm.response.json() : {}',
  "if (problem.error === 'insufficient_scope') {",
  "  pm.test.skip('the token lacks the scope ' + problem.missingScope, () => {})",
  `  for (const name of ${JSON.stringify(saves)}) if (!pm.environment.has(name)) pm.collectionVariables.set(name, '')`,
  '} else'
]

export interface Expectation {
  step: Step
  /** The scopes that the operation requires. */
  scopes: string[]
  /** The success statuses of the operation in the specification. */
  successes: number[]
  /** The variable of a credential that only the server's operator has. While it is empty, the expected status is 401 or 403. */
  operatorsVariable?: string | undefined
}

/** Builds the test of a request: it asserts a status of the specification and saves the values that later requests need. */
export const createTest = ({ step, scopes, successes, operatorsVariable }: Expectation) => {
  const statuses = step.expects === undefined ? successes : [step.expects]
  const accepted = JSON.stringify(statuses)
  const expected =
    operatorsVariable === undefined
      ? accepted
      : `pm.variables.get(${JSON.stringify(operatorsVariable)}) ? ${accepted} : [401, 403]`
  return event('test', [
    `const expected = ${expected}`,
    ...(scopes.length === 0 ? [] : scopeLines(Object.keys(step.saves ?? {}))),
    "pm.test('returns ' + expected.join(' or '), () => pm.expect(pm.response.code, pm.response.text().slice(0, 500)).to.be.oneOf(expected))",
    ...(step.saves === undefined ? [] : saveLines(step.saves))
  ])
}
