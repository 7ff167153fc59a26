import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createPostgresDatabase } from '../test/build-app.ts'
import { measureStart, type Started } from './bench/start.ts'
import { runWithArguments } from './command.ts'
import { announce } from './progress.ts'

const help = `Measures how long the server takes to start and how much memory it uses when idle, and prints a Markdown table with the best of some runs.
First starts begin without compiled code and without a database. Stop servers that run from this folder first.

  npm run bench:start [-- --database postgres://…]

  --database URL   a PostgreSQL server whose user may create databases; without it the production start is skipped
  --runs N         starts of each kind (default: 3)
  --help           this text
`

const home = fileURLToPath(new URL('..', import.meta.url))
const npmStart = ['npm', 'start', '--silent', '--prefix', home]

const forgetCompiled = (): void => {
  const cache = join(home, '.cache')
  mkdirSync(cache, { recursive: true })
  for (const name of readdirSync(cache).filter((entry) => /^(server|database)-/.test(entry)))
    rmSync(join(cache, name), { recursive: true })
}

const best = (runs: Started[]): Started => ({
  seconds: Math.min(...runs.map(({ seconds }) => seconds)),
  cpuSeconds: Math.min(...runs.map(({ cpuSeconds }) => cpuSeconds)),
  serverMib: Math.min(...runs.map(({ serverMib }) => serverMib)),
  totalMib: Math.min(...runs.map(({ totalMib }) => totalMib))
})

const print = (name: string, { seconds, cpuSeconds, serverMib, totalMib }: Started): void => {
  const cells = [seconds.toFixed(1), cpuSeconds.toFixed(1), serverMib.toFixed(0), totalMib.toFixed(0)]
  process.stdout.write(`| ${name} | ${cells.join(' | ')} |\n`)
}

const measureEmbedded = async (runs: number): Promise<void> => {
  const first: Started[] = []
  const second: Started[] = []
  for (let run = 0; run < runs; run += 1) {
    const dataDir = mkdtempSync(join(tmpdir(), 'atlas-bench-start-'))
    rmSync(dataDir, { recursive: true })
    try {
      announce(`Starting with the embedded database, run ${run + 1} of ${runs}`)
      forgetCompiled()
      first.push(await measureStart(npmStart, { ATLAS_DATA_DIR: dataDir }))
      second.push(await measureStart(npmStart, { ATLAS_DATA_DIR: dataDir }))
    } finally {
      rmSync(dataDir, { recursive: true, force: true })
    }
  }
  print('first `npm start`, embedded database', best(first))
  print('second `npm start`, embedded database', best(second))
}

const measureProduction = async (server: string, runs: number): Promise<void> => {
  announce('Building for production')
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: home, stdio: ['ignore', 'ignore', 'inherit'] })
  const database = await createPostgresDatabase(server)
  try {
    const env = {
      NODE_ENV: 'production',
      LOG_LEVEL: 'error',
      DATABASE_URL: database.url,
      ATLAS_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
      ATLAS_JWT_SECRET: 'a-secret-for-the-benchmark-alone-0123456789'
    }
    const command = [process.execPath, '--enable-source-maps', join(home, 'dist/server.js')]
    const starts: Started[] = []
    for (let run = 0; run < runs; run += 1) {
      announce(`Starting for production, run ${run + 1} of ${runs}`)
      starts.push(await measureStart(command, env))
    }
    print('production from `dist`, PostgreSQL', best(starts))
  } finally {
    await database.drop()
  }
}

const options = { database: { type: 'string' }, runs: { type: 'string', default: '3' } } as const

runWithArguments({ help, options }, async (values) => {
  const runs = Math.max(1, Number(values.runs) || 1)
  process.stdout.write('| start | first 200, s | CPU until then, s | idle server, MiB | with npm, MiB |\n')
  process.stdout.write('| --- | ---: | ---: | ---: | ---: |\n')
  await measureEmbedded(runs)
  if (values.database !== undefined) await measureProduction(values.database, runs)
})
