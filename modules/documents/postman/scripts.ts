import type { Step } from './document.ts'

/** A script as Postman keeps it: by lines. */
export interface ScriptEvent {
  listen: 'prerequest' | 'test'
  script: { type: 'text/javascript'; exec: string[] }
}

const event = (listen: ScriptEvent['listen'], exec: string[]): ScriptEvent => ({
  listen,
  script: { type: 'text/javascript', exec }
})

/**
 * Runs before every request. A key that is given in the environment is sent as it is, so that a request can be repeated with it; else each
 * request gets its own, since a local variable outlives its request in a run and the next operation would answer 422 to a used key.
 */
export const fillIdempotencyKey = event('prerequest', [
  "const given = pm.environment.get('idempotencyKey') || pm.collectionVariables.get('idempotencyKey')",
  "const key = given || pm.variables.replaceIn('{{$guid}}')",
  "pm.variables.set('idempotencyKey', key)",
  "if (pm.request.headers.has('Idempotency-Key')) pm.collectionVariables.set('lastIdempotencyKey', key)"
])

/** Writes a value where the next requests find it: what somebody has put into the environment stays. */
const saveLines = (saves: Record<string, string>): string[] => [
  'if (pm.response.code < 300) {',
  '  const answer = pm.response.json()',
  '  const find = (list, [name, value]) => list.find((entry) => String(entry[name]) === value)',
  "  const step = (node, name) => (name.includes('=') ? find(node, name.split('=')) : node[name])",
  "  const at = (place) => place.split('.').reduce((node, name) => (node === undefined || node === null ? undefined : step(node, name)), answer)",
  '  const save = (name, place) => {',
  '    const value = at(place)',
  '    if (value === undefined || value === null) return',
  '    if (!pm.environment.has(name)) pm.collectionVariables.set(name, value)',
  '    else if (!pm.environment.get(name)) pm.environment.set(name, value)',
  '  }',
  ...Object.entries(saves).map(([name, place]) => `  save(${JSON.stringify(name)}, ${JSON.stringify(place)})`),
  '}'
]

export interface Expectation {
  step: Step
  /** The successful statuses that the specification gives the operation. */
  successes: number[]
  /** The variable of a credential that only the server's operator has; without it the refusal is what is right. */
  operatorsVariable?: string | undefined
}

/** The test of a request: it asserts a status that the specification gives the operation, and keeps what later requests need. */
export const testOf = ({ step, successes, operatorsVariable }: Expectation): ScriptEvent => {
  const statuses = step.expects === undefined ? successes : [step.expects]
  const accepted = JSON.stringify(statuses)
  const expected =
    operatorsVariable === undefined
      ? accepted
      : `pm.variables.get(${JSON.stringify(operatorsVariable)}) ? ${accepted} : [401, 403]`
  return event('test', [
    `const expected = ${expected}`,
    "pm.test('answers ' + expected.join(' or '), () => pm.expect(pm.response.code, pm.response.text().slice(0, 500)).to.be.oneOf(expected))",
    ...(step.saves === undefined ? [] : saveLines(step.saves))
  ])
}
