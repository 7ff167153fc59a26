// Starts the server from a compiled bundle. This file is JavaScript because it runs before anything is compiled.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const help = `Starts the server. Compiles it first when the sources changed, and creates the embedded database on the first start.

  npm start

Settings are environment variables; the README lists them.
`

const home = fileURLToPath(new URL('..', import.meta.url))
const cache = join(home, '.cache')
const sources = [
  'app.ts',
  'server.ts',
  'plugins',
  'modules',
  'simulators',
  'spec/generated',
  'scripts/build/bundle.ts',
  'scripts/start'
]
const keptBundles = 3

const say = (text) => process.stdout.write(`${text}\n`)

const stop = () => process.exit(1)

/** Runs a script of this project to its end. */
const run = (...args) =>
  new Promise((resolve, reject) => {
    // The cache of tsx would stay behind in the system's temporary folder.
    const env = { ...process.env, TSX_DISABLE_CACHE: '1' }
    const child = spawn(process.execPath, args, { cwd: home, env, stdio: ['ignore', 'ignore', 'inherit'] })
    const end = () => child.kill()
    process.once('exit', end)
    child.once('error', reject)
    child.once('exit', (code) => {
      process.off('exit', end)
      if (code === 0) resolve()
      else reject(new Error(`node ${args.join(' ')} failed.`))
    })
  })

/** Creates a folder with `fill`, completely or not at all, even when several processes try concurrently. */
const createFolder = async (folder, fill) => {
  const partial = `${folder}.${process.pid}`
  const removePartial = () => rmSync(partial, { recursive: true, force: true })
  process.once('exit', removePartial)
  try {
    await fill(partial)
    renameSync(partial, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
  } finally {
    process.off('exit', removePartial)
    removePartial()
  }
}

/** @throws Error when this Node.js is too old or the packages are not installed */
const checkInstallation = () => {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19))
    throw new Error(`Node.js ${process.versions.node} is too old: install version 20.19 or later.`)
  if (!existsSync(join(home, 'node_modules/tsx')))
    throw new Error('The packages are not installed: run `npm ci` first.')
}

const filesOf = (path) =>
  statSync(join(home, path)).isDirectory()
    ? readdirSync(join(home, path)).flatMap((name) => filesOf(`${path}/${name}`))
    : [path]

/** Changes with every edit of a source and every installation of other packages. */
const fingerprint = () => {
  const hash = createHash('sha256').update(readFileSync(join(home, 'package-lock.json')))
  for (const file of sources.flatMap(filesOf)) {
    const { size, mtimeMs } = statSync(join(home, file))
    hash.update(`${file} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}

/** A server that still runs may load parts of its bundle later, so some old ones are kept. */
const removeOldBundles = () => {
  const bundles = readdirSync(cache)
    .filter((name) => /^server-[0-9a-f]{16}$/.test(name))
    .map((name) => ({ path: join(cache, name), time: statSync(join(cache, name)).mtimeMs }))
    .sort((a, b) => b.time - a.time)
  for (const { path } of bundles.slice(keptBundles)) rmSync(path, { recursive: true, force: true })
}

/** The folder of the compiled server. */
const compileServer = async () => {
  const folder = join(cache, `server-${fingerprint()}`)
  if (!existsSync(folder)) {
    say('Compiling the server …')
    await createFolder(folder, (partial) => run('--import', 'tsx', 'scripts/start/compile.ts', partial))
    removeOldBundles()
  }
  return folder
}

/** An empty database takes seconds to create, so data directories start as a copy of one. */
const createTemplate = async () => {
  const manifest = createRequire(import.meta.url)
    .resolve('@electric-sql/pglite')
    .replace(/dist.*/, 'package.json')
  const template = join(cache, `database-${JSON.parse(readFileSync(manifest, 'utf8')).version}`)
  if (!existsSync(template)) await createFolder(template, (partial) => run('scripts/start/create-database.js', partial))
  return template
}

const createDatabase = async (dataDir, template) => {
  say(`Creating the embedded database in ${dataDir} …`)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  await createFolder(join(dataDir, 'pgdata'), (partial) => cpSync(template, partial, { recursive: true }))
  say('Creating tables, keys and demo data …')
}

/** Prepares what `npm ci` leaves out, and returns the program of the server. */
const prepare = async () => {
  const { DATABASE_URL = '', ATLAS_DATA_DIR = '', NODE_ENV } = process.env
  const isEmbedded = DATABASE_URL.trim() === '' && NODE_ENV !== 'production'
  const isFirst = isEmbedded && !existsSync(join(ATLAS_DATA_DIR.trim() || '.atlas', 'pgdata'))
  mkdirSync(cache, { recursive: true })
  const [folder, template] = await Promise.all([compileServer(), isFirst ? createTemplate() : undefined])
  const { dataDirectory } = await import(pathToFileURL(join(folder, 'scripts/start/check.js')).href)
  const dataDir = await dataDirectory()
  if (isFirst && dataDir !== undefined) await createDatabase(dataDir, template)
  else say('Starting the server …')
  return join(folder, 'server.js')
}

const main = async () => {
  checkInstallation()
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP']
  for (const signal of signals) process.on(signal, stop)
  const server = await prepare()
  for (const signal of signals) process.off(signal, stop)
  await import(pathToFileURL(server).href)
}

if (process.argv.includes('--help')) say(help)
else
  main().catch((error) => {
    console.error(error.message)
    process.exit(1)
  })
