import { posix } from 'node:path'
import { printClientMethods } from './client-methods.ts'
import { generatedHeader } from './header.ts'
import { SpecError, type Bundle } from './model.ts'
import { printOperations } from './operations.ts'
import { printProblems } from './problems.ts'
import { literal, quote } from './print.ts'
import { Schemas, inOrderOfUse } from './schemas.ts'
import { staticType } from './static-type.ts'
import { printTools } from './tools.ts'
import { TypeBoxPrinter } from './typebox.ts'

/**
 * The text of every generated file by its name.
 * @param kitPath relative path from the output folder to plugins/operations/
 * @param clientPath relative path from the output folder to client/
 */
export const printFiles = async (bundle: Bundle, kitPath: string, clientPath: string): Promise<Map<string, string>> => {
  const schemas = new Schemas(bundle.document.components.schemas ?? {})
  const files = new Map<string, string>()
  files.set('openapi.json', `${JSON.stringify(bundle.document, null, 2)}\n`)
  for (const owner of ['shared', ...bundle.groups])
    files.set(
      `${owner}.ts`,
      withFileName(owner, () => printModule(bundle, schemas, owner, kitPath))
    )
  files.set('index.ts', printIndex(bundle, schemas, kitPath))
  files.set(
    'tools.ts',
    `${generatedHeader}\nimport type { ToolTemplate } from '${posix.join(kitPath, '../mcp/template.ts')}'\n\n` +
      `/** The MCP tools. */\nexport const tools: readonly ToolTemplate[] = ${printTools(bundle, schemas)}\n`
  )
  files.set('problems.ts', printProblems(bundle))
  files.set('client.ts', await printClient(bundle))
  files.set('client-methods.ts', printClientMethods(bundle, clientPath))
  return files
}

/** Prefixes the errors found while printing with the name of the document. */
const withFileName = (owner: string, print: () => string): string => {
  try {
    return print()
  } catch (error) {
    if (!(error instanceof SpecError)) throw error
    const file = owner === 'shared' ? 'shared/*.yaml' : `${owner}.yaml`
    throw new SpecError(error.problems.map((problem) => `${file}: ${problem}`))
  }
}

const printModule = (bundle: Bundle, schemas: Schemas, owner: string, kitPath: string): string => {
  const printer = new TypeBoxPrinter(schemas)
  const names = inOrderOfUse(
    schemas.names().filter((name) => bundle.owners.get(name) === owner),
    schemas
  )
  const components = names.map((name) => printComponent(name, schemas, printer))
  const table = owner === 'shared' ? undefined : printOperations(bundle, owner, printer)
  const foreign = [...printer.components].filter((name) => bundle.owners.get(name) !== owner).sort()
  const imports = [
    ...(printer.usesTypeBox ? ["import { Type } from '@sinclair/typebox'"] : []),
    ...(names.some((name) => !schemas.recursive.has(name)) ? ["import type { Static } from '@sinclair/typebox'"] : []),
    ...(printer.kit.size > 0
      ? [`import { ${[...printer.kit].sort().join(', ')} } from '${kitPath}/schema-kit.ts'`]
      : []),
    ...(table === undefined ? [] : [`import type { OperationTable } from '${kitPath}/table.ts'`]),
    ...(foreign.length > 0 ? [`import { ${foreign.join(', ')} } from './shared.ts'`] : [])
  ]
  const operations = table === undefined ? [] : [`export const operations = ${table} as const satisfies OperationTable`]
  const parts = [imports.join('\n'), ...components, ...operations].filter((part) => part !== '')
  return `${generatedHeader}\n${parts.length > 0 ? parts.join('\n\n') : 'export {}'}\n`
}

const printComponent = (name: string, schemas: Schemas, printer: TypeBoxPrinter): string => {
  const schema = schemas.get(name)
  if (!schemas.recursive.has(name)) {
    return `export const ${name} = ${printer.expression(schema, name)}\nexport type ${name} = Static<typeof ${name}>`
  }
  const type = staticType(schema, schemas, (used) => printer.components.add(used))
  printer.usesTypeBox = true
  return (
    `export type ${name} = ${type}\n` +
    `export const ${name} = Type.Unsafe<${name}>({ $id: ${quote(name)}, ...${printer.expression(schema, name)} })`
  )
}

const printIndex = (bundle: Bundle, schemas: Schemas, kitPath: string): string => {
  const recursive = [...schemas.recursive].sort()
  const recursiveByOwner = ['shared', ...bundle.groups].map((owner) => ({
    owner,
    names: recursive.filter((name) => bundle.owners.get(name) === owner)
  }))
  const lines = [
    `import type { OperationTable, RateLimit, RateLimitClass } from '${kitPath}/table.ts'`,
    ...bundle.groups.map((group) => `import { operations as ${tableName(group)} } from './${group}.ts'`),
    ...recursiveByOwner
      .filter(({ names }) => names.length > 0)
      .map(({ owner, names }) => `import { ${names.join(', ')} } from './${owner}.ts'`),
    '',
    '/** Every operation of the API by its operationId. */',
    `export const allOperations = {\n${bundle.groups.map((group) => `  ...${tableName(group)}`).join(',\n')}\n} as const satisfies OperationTable`,
    '',
    `export const groups = ${literal(bundle.groups)} as const`,
    '',
    `export const rateLimits = ${literal(bundle.document['x-rate-limits'] ?? {})} as const satisfies Partial<Record<RateLimitClass, RateLimit>>`,
    '',
    '/** Register these with `addSchema` before any route: other schemas reference them by name. */',
    `export const recursiveSchemas = ${recursive.length > 0 ? `[${recursive.join(', ')}]` : '[]'} as const`
  ]
  return `${generatedHeader}\n${lines.join('\n')}\n`
}

const tableName = (group: string): string =>
  `${group.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())}Operations`

/** Types for callers. Unlike in the handlers' types, fields with a default are optional. */
const printClient = async (bundle: Bundle): Promise<string> => {
  const { default: openapiTS, astToString } = await import('openapi-typescript')
  const nodes = await openapiTS(structuredClone(bundle.document) as unknown as Parameters<typeof openapiTS>[0], {
    defaultNonNullable: false,
    alphabetize: false,
    silent: true
  })
  return `${generatedHeader}\n${astToString(nodes)}`
}
