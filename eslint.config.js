import { dirname, relative, resolve, sep } from 'node:path'
import tseslint from 'typescript-eslint'
import { noCycles, onImports } from './eslint.cycles.js'

const root = import.meta.dirname ?? dirname(new URL(import.meta.url).pathname)

const placeOf = (path) => relative(root, path).split(sep).join('/')

/** The files of a domain that hold its SQL. */
const mayUseKysely = /^modules\/[^/]+\/(queries|tables)(\.ts|\/)/

/** Who may import a simulator besides simulators and tests: the importing file or folder, and what it imports. */
const simulatorImports = [
  ['app.ts', 'simulators/index.ts'],
  ['scripts/migrate.ts', 'simulators/migrate.ts'],
  ['scripts/bench/', 'simulators/'],
  ['scripts/forecast-bench/simulator-histories.ts', 'simulators/plaid/']
]

/** What simulators may import of the product. */
const openToSimulators = new Set([
  'plugins/database/migrator.ts',
  'plugins/database/types.ts',
  'plugins/http/urls.ts',
  'plugins/plaid/service.ts',
  'plugins/stripe/service.ts'
])

/** What is wrong with an import of a simulator or by one; undefined when nothing is. */
const simulatorFaultOf = (from, to, isEager) => {
  const isSimulator = from.startsWith('simulators/')
  if (to.startsWith('simulators/')) {
    if (from === 'simulators/index.ts' && isEager)
      return 'Load a simulator by import(), so that a server without it does not load its code.'
    const isAllowed =
      isSimulator ||
      from.startsWith('test/') ||
      simulatorImports.some(([importer, imported]) => from.startsWith(importer) && to.startsWith(imported))
    return isAllowed ? undefined : 'Simulators stand outside the product: app.ts alone mounts them.'
  }
  return isSimulator && !openToSimulators.has(to)
    ? 'A simulator imports nothing of the product except what eslint.config.js opens to simulators.'
    : undefined
}

/**
 * What is wrong with an import, as the layers of docs/architecture.md say; undefined when nothing is.
 * @param from the importing file, from the root
 * @param source what is imported, as it is written
 * @param typeOnly whether only types are imported
 * @param isDynamic whether it is an import()
 */
const faultOf = (from, source, typeOnly, isDynamic = false) => {
  const [room, domain] = from.split('/')
  if (!source.startsWith('.')) {
    if (room === 'client') return 'The client depends on nothing but fetch and Web Crypto.'
    if (room !== 'modules' || typeOnly) return undefined
    if (source === 'kysely' && !mayUseKysely.test(from))
      return 'SQL belongs in the domain’s queries.ts; elsewhere only types of kysely are imported.'
    if (source === 'fastify') return 'A domain is given its server; it imports only types of fastify.'
    return undefined
  }
  const to = placeOf(resolve(root, dirname(from), source))
  const [toRoom, toDomain] = to.split('/')
  const simulatorFault = simulatorFaultOf(from, to, !typeOnly && !isDynamic)
  if (simulatorFault !== undefined) return simulatorFault
  if (room === 'client' && toRoom !== 'client' && !/^spec\/generated\/client(-methods)?\.ts$/.test(to)) {
    return 'The client is shipped without the server; it imports only itself and what spec/generated has for clients.'
  }
  if (['modules', 'plugins'].includes(room) && toRoom === 'client')
    return 'The server does not call itself through its client.'
  if (from === 'server.ts' && to !== 'app.ts' && toRoom !== 'plugins')
    return 'The process imports app.ts and plugins; app.ts exports what it needs of a domain.'
  const product = ['modules', 'plugins', 'simulators', 'spec'].includes(room) || !from.includes('/')
  if (product && (toRoom === 'scripts' || toRoom === 'test')) return 'The product does not import scripts or tests.'
  if (room === 'plugins' && toRoom === 'modules') return 'A plugin knows no domain; what both need is the plugin’s.'
  if (
    room === 'modules' &&
    toRoom === 'modules' &&
    domain !== toDomain &&
    from !== 'modules/index.ts' &&
    to !== `modules/${toDomain}/index.ts`
  ) {
    return `Another domain is used through its index.ts: import from modules/${toDomain}/index.ts.`
  }
  return undefined
}

const architecture = {
  rules: {
    'no-cycles': noCycles(placeOf),
    imports: {
      create(context) {
        const from = placeOf(context.filename)
        const check = (node) => {
          if (typeof node.source?.value !== 'string') return
          const typeOnly =
            node.importKind === 'type' ||
            node.exportKind === 'type' ||
            (node.specifiers?.length > 0 &&
              node.specifiers.every((specifier) => specifier.importKind === 'type' || specifier.exportKind === 'type'))
          const fault = faultOf(from, node.source.value, typeOnly, node.type === 'ImportExpression')
          if (fault !== undefined) context.report({ node, message: fault })
        }
        return onImports(check)
      }
    },
    'file-name': {
      create(context) {
        return {
          Program(node) {
            const wrong = placeOf(context.filename)
              .split('/')
              .find((part) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/.test(part))
            if (wrong !== undefined)
              context.report({ node, message: `Names of files and folders are in kebab-case; ${wrong} is not.` })
          }
        }
      }
    }
  }
}

const environment = {
  selector: 'MemberExpression[object.name="process"][property.name="env"]',
  message: 'Settings come from the typed configuration; only server.ts reads the environment.'
}
const clock = [
  {
    selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
    message: 'Ask the injected clock: clock.now().'
  },
  {
    selector: 'CallExpression[callee.object.name="Date"][callee.property.name="now"]',
    message: 'Ask the injected clock: clock.now().getTime().'
  },
  {
    selector:
      'CallExpression[callee.object.name="DateTime"][callee.property.name=/^(now|local|utc)$/][arguments.length=0]',
    message: 'Ask the injected clock.'
  }
]
const chance = {
  selector: 'CallExpression[callee.object.name="Math"][callee.property.name="random"]',
  message: 'Chance comes from node:crypto, or from a seed.'
}

const dialect = [
  {
    selector: 'FunctionDeclaration[generator=false]',
    message: 'Functions are arrow functions; only generators are declared.'
  },
  {
    selector:
      ':matches(Program, ExportNamedDeclaration) > VariableDeclaration > VariableDeclarator[id.name=/^[A-Z][A-Z_]+$/]',
    message: 'Constants are in camelCase.'
  }
]

const testCall = 'CallExpression:matches([callee.name="test"], [callee.property.name="test"])'
const longTitle = {
  selector: `${testCall} > Literal[value=/^.{100}/], ${testCall} > TemplateLiteral > TemplateElement[value.raw=/^.{100}/]`,
  message: 'A test title states one guarantee in under 100 characters.'
}

export default tseslint.config(
  { ignores: ['dist/**', 'coverage/**', '.cache/**', '.tap/**', '.atlas/**', 'spec/generated/**'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    plugins: { architecture },
    rules: {
      'architecture/imports': 'error',
      'architecture/no-cycles': 'error',
      'architecture/file-name': 'error',
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 90, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-console': 'error',
      'no-restricted-syntax': ['error', environment, ...clock, chance, ...dialect],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-explicit-any': 'error',
      // A name that begins with an underscore is there to be left out of the rest.
      '@typescript-eslint/no-unused-vars': [
        'error',
        {
          argsIgnorePattern: '^_',
          varsIgnorePattern: '^_',
          destructuredArrayIgnorePattern: '^_',
          ignoreRestSiblings: true
        }
      ],
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            // Tests of a file run one after the other by themselves; a test inside another must be awaited.
            { from: 'package', name: 'test', package: 'tap' }
          ]
        }
      ],
      // Handlers and Fastify plugins are async by their type, also those that wait for nothing.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description' }]
    }
  },
  { files: ['plugins/clock.ts'], rules: { 'no-restricted-syntax': ['error', environment, chance, ...dialect] } },
  // The client has no server's clock, and jitter is not a secret.
  { files: ['client/**/*.ts'], rules: { 'no-restricted-syntax': ['error', environment, ...dialect] } },
  {
    files: ['server.ts'],
    rules: { 'no-console': 'off', 'no-restricted-syntax': ['error', ...clock, chance, ...dialect] }
  },
  { files: ['scripts/**/*.ts'], rules: { 'no-console': 'off', 'no-restricted-syntax': ['error', ...dialect] } },
  {
    files: ['test/**/*.ts'],
    rules: {
      'no-console': 'off',
      'no-restricted-syntax': ['error', longTitle, ...dialect],
      // A title names one guarantee, and what it takes to show it may be long.
      'max-lines-per-function': 'off',
      'max-lines': ['error', { max: 400 }],
      // Answers are read as the JSON that they are; the assertions say what must be in them.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-base-to-string': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/unbound-method': 'off'
    }
  }
)
