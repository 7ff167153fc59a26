import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parse } from 'yaml'
import { SpecError, isObject, type SpecDocument, type SpecFolder } from './model.ts'

/**
 * Reads openapi.yaml, the documents of the groups and the shared documents.
 * @throws SpecError with every file that cannot be read
 */
export const readSpec = (folder: string): SpecFolder => {
  const problems: string[] = []
  if (!existsSync(join(folder, 'openapi.yaml'))) {
    throw new SpecError([
      `${folder}/openapi.yaml is missing. Pass the spec folder with --spec, or write the root document.`
    ])
  }
  const load = (file: string): SpecDocument => {
    const content = readYaml(join(folder, file), file, problems)
    return { file, name: basename(file, '.yaml'), content }
  }
  const root = load('openapi.yaml')
  const groups = yamlFiles(folder)
    .filter((file) => file !== 'openapi.yaml')
    .map(load)
  const shared = yamlFiles(join(folder, 'shared')).map((file) => load(`shared/${file}`))
  if (problems.length > 0) throw new SpecError(problems)
  return { root, groups, shared }
}

const yamlFiles = (folder: string): string[] => {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
}

const readYaml = (path: string, file: string, problems: string[]): SpecDocument['content'] => {
  try {
    const content: unknown = parse(readFileSync(path, 'utf8'), { merge: true })
    if (!isObject(content)) throw new Error('it is not a mapping. Start it with "openapi: 3.1.0"')
    // Aliases share one object. Copying by value lets each place change on its own.
    return JSON.parse(JSON.stringify(content)) as SpecDocument['content']
  } catch (error) {
    problems.push(`${file}: cannot be read as YAML: ${error instanceof Error ? error.message : String(error)}`)
    return {}
  }
}
