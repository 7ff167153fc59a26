import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

const importPattern =
  /^\s*(?:import|export)\s[^'"]*?from\s+'(\.[^']+)'|^\s*import\s+'(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm

const known = new Map()

/** The files that a file imports, types included, by their absolute paths. */
const importsOf = (file) => {
  if (!known.has(file)) {
    let text = ''
    try {
      text = readFileSync(file, 'utf8')
    } catch {
      // The compiler reports an import that leads nowhere.
    }
    const sources = [...text.matchAll(importPattern)].map((match) => match[1] ?? match[2] ?? match[3])
    known.set(
      file,
      sources.map((source) => resolve(dirname(file), source))
    )
  }
  return known.get(file)
}

/** The files from `start` to `goal` by imports; undefined when none leads there. */
const pathBetween = (start, goal) => {
  const cameFrom = new Map([[start, undefined]])
  for (const file of cameFrom.keys()) {
    if (file === goal) {
      const path = []
      for (let step = file; step !== undefined; step = cameFrom.get(step)) path.unshift(step)
      return path
    }
    for (const next of importsOf(file)) if (!cameFrom.has(next)) cameFrom.set(next, file)
  }
  return undefined
}

/** Calls `check` with every node that imports, and every export, which may have no source. */
export const onImports = (check) => ({
  ImportDeclaration: check,
  ExportNamedDeclaration: check,
  ExportAllDeclaration: check,
  ImportExpression: check
})

/** Forbids that a file imports itself by way of others, also where only types are imported. */
export const noCycles = (placeOf) => ({
  create(context) {
    const check = (node) => {
      const source = node.source?.value
      if (typeof source !== 'string' || !source.startsWith('.')) return
      const path = pathBetween(resolve(dirname(context.filename), source), context.filename)
      if (path === undefined) return
      context.report({ node, message: `An import cycle: ${[context.filename, ...path].map(placeOf).join(' → ')}.` })
    }
    return onImports(check)
  }
})
