import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Cleaner } from '../test-database.ts'
import { until } from '../machines/waiting.ts'

/** Long enough for a slow machine and a slow registry. */
const limitMs = 900_000

export interface Terminal {
  /** Everything that its programs printed. */
  output(): string
  /** Types lines, without waiting for them. */
  type(lines: string): void
  /**
   * Types lines and waits until they have run.
   * @throws Error with the output when one of them fails
   */
  run(lines: string): Promise<void>
  /** Waits until the output matches. @throws Error with the output when the shell ends before */
  waitFor(pattern: RegExp): Promise<void>
  /** Ctrl-C: sends SIGINT to every program of the terminal, and waits until all have ended. */
  interrupt(): Promise<void>
  /** Ctrl-D: ends the shell, and waits until all programs have ended. */
  close(): Promise<void>
}

const isAlive = (group: number): boolean => {
  try {
    process.kill(-group, 0)
    return true
  } catch {
    return false
  }
}

/** A shell in a process group of its own, which ends at the first error. */
export const openTerminal = (t: Cleaner, cwd: string, env: Record<string, string>): Terminal => {
  const shell = spawn('sh', ['-e'], { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  const group = shell.pid ?? 0
  let output = ''
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (part: Buffer) => (output += part.toString()))
  // The shell may end before it has read everything.
  shell.stdin.on('error', () => undefined)
  const ended = once(shell, 'exit')
  t.teardown(() => {
    if (group > 0 && isAlive(group)) process.kill(-group, 'SIGKILL')
  })
  const isRunning = () => shell.exitCode === null && shell.signalCode === null
  const waitFor = (pattern: RegExp) =>
    until(
      `the terminal prints ${pattern}`,
      () => {
        if (pattern.test(output)) return true
        if (!isRunning()) throw new Error(`The shell ended early.\n${output}`)
        return false
      },
      limitMs
    )
  const allEnded = async () => {
    await ended
    await until('every program of the terminal has ended', () => !isAlive(group))
  }
  let blocks = 0
  return {
    output: () => output,
    type: (lines) => void shell.stdin.write(`${lines}\n`),
    async run(lines) {
      const marker = `-- end of block ${(blocks += 1)} --`
      shell.stdin.write(`${lines}\necho '${marker}'\n`)
      await waitFor(new RegExp(marker))
    },
    waitFor,
    async interrupt() {
      process.kill(-group, 'SIGINT')
      await allEnded()
    },
    async close() {
      shell.stdin.end()
      await allEnded()
    }
  }
}
