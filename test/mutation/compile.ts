import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'

const into = 'compiled'
const domains = process.argv.slice(2)
const rooms = ['plugins', 'spec/generated', 'test/plugins', ...domains.flatMap((domain) => [`modules/${domain}`, `test/modules/${domain}`])]
const single = ['app.ts', 'modules/index.ts', 'test/build-app.ts', 'test/credentials.ts', 'test/test-database.ts']

/** The project's own options, for a compiler that looks at one file at a time and so takes seconds; types were checked elsewhere. */
const optionsOfProject = (): ts.CompilerOptions => {
  const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)) as { config: object }
  return { ...ts.parseJsonConfigFileContent(config, ts.sys, '.').options, module: ts.ModuleKind.ESNext, noEmit: false, incremental: false }
}

const sources = [
  ...single,
  ...rooms.flatMap((room) => readdirSync(room, { recursive: true, encoding: 'utf8' }).map((path) => join(room, path)))
].filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))

// Run by Stryker in its copy of the project: what it starts a thousand times must not be compiled a thousand times.
const compilerOptions = optionsOfProject()
for (const fileName of sources) {
  const { outputText } = ts.transpileModule(readFileSync(fileName, 'utf8'), { fileName, compilerOptions })
  const target = join(into, fileName.replace(/\.ts$/, '.js'))
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, outputText)
}
cpSync('spec/generated/openapi.json', join(into, 'spec/generated/openapi.json'))
