import { existsSync, readFileSync } from 'node:fs'

/** package.json lies one folder up from the source, and two from the compiled code. */
const candidates = ['../package.json', '../../package.json'].map((path) => new URL(path, import.meta.url))

const readVersion = (): string => {
  const file = candidates.find((path) => existsSync(path))
  if (file === undefined) throw new Error('package.json was not found beside the program.')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

/** The version of this software; `info.version` of the specification is the same. */
export const version = readVersion()
