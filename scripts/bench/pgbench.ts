import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pgbenchExpression, type Exchange } from './exchange.ts'
import type { Round } from './load.ts'

/** The path of pgbench; undefined when it is not installed. */
export const findPgbench = (): string | undefined => {
  const versions = '/usr/lib/postgresql'
  try {
    return readdirSync(versions)
      .sort()
      .map((version) => join(versions, version, 'bin/pgbench'))
      .at(-1)
  } catch {
    return undefined
  }
}

const scriptOf = (exchange: Exchange): string => {
  const lines = ['\\set r random(1, 9000000000000000)']
  for (const { text, values } of exchange.steps.flatMap(({ statements }) => statements)) {
    const filled = text.replaceAll(/\$(\d+)/g, (_match, number: string) =>
      pgbenchExpression(values[Number(number) - 1] ?? null, exchange)
    )
    lines.push(`${filled.replaceAll(/\s+/g, ' ')};`)
  }
  return `${lines.join('\n')}\n`
}

/** Runs the statements of a recorded exchange in pgbench, prepared, for a whole number of seconds. */
export const runPgbench = (
  pgbench: string,
  databaseUrl: string,
  exchange: Exchange,
  connections: number,
  seconds: number
): Round => {
  const folder = mkdtempSync(join(tmpdir(), 'atlas-pgbench-'))
  try {
    const script = join(folder, 'script.sql')
    writeFileSync(script, scriptOf(exchange))
    const options = [
      '-n',
      '-M',
      'prepared',
      '-c',
      String(connections),
      '-j',
      '1',
      '-T',
      String(seconds),
      '-f',
      script,
      '--log',
      '--log-prefix',
      join(folder, 'log'),
      databaseUrl
    ]
    const { status, stdout, stderr } = spawnSync(pgbench, options, { encoding: 'utf8' })
    const perSecond = Number(/tps = ([\d.]+)/.exec(stdout)?.[1])
    if (status !== 0 || !(perSecond > 0)) throw new Error(`pgbench failed: ${stderr.split('\n', 1)[0]}`)
    const timesMs = readdirSync(folder)
      .filter((name) => name.startsWith('log'))
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'))
      .map((line) => Number(line.split(' ')[2]) / 1000)
    // Excludes the time to open the first connections.
    return { timesMs, seconds: timesMs.length / perSecond }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
