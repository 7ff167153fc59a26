import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '../../test/machines/ports.ts'

export interface Started {
  /** From the start of the process to the first 200, in seconds. */
  seconds: number
  /** CPU time of all its processes until then, in seconds; more reliable than `seconds` on a busy machine. */
  cpuSeconds: number
  /** Resident memory of the server's process some seconds later, in MiB. */
  serverMib: number
  /** The same of all its processes, npm included. */
  totalMib: number
}

const pollMs = 20
const idleMs = 5_000
const limitMs = 300_000
const ticksPerSecond = 100

const isReady = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    request({ host: '127.0.0.1', port, path: '/api/v1/health/ready', timeout: limitMs }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
      .once('error', () => resolve(false))
      .end()
  })

const processTree = (pid: number): number[] => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return [pid, ...(children === '' ? [] : children.split(' ').map(Number).flatMap(processTree))]
}

/** CPU time of a process and of its ended children. */
const cpuSecondsOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond
}

const residentMib = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)

/** Starts a server with a command, waits for its first 200, measures, and stops it with SIGTERM. Requires Linux's /proc. */
export const measureStart = async (command: string[], env: NodeJS.ProcessEnv): Promise<Started> => {
  const [program = '', ...args] = command
  const port = await freePort()
  const begin = performance.now()
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env, HOST: '127.0.0.1', PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const ended = once(child, 'exit')
  while (!(await isReady(port))) {
    if (child.exitCode !== null || performance.now() - begin > limitMs)
      throw new Error(`${command.join(' ')} did not become ready.`)
    await wait(pollMs)
  }
  const seconds = (performance.now() - begin) / 1000
  const pids = processTree(child.pid ?? 0)
  const cpuSeconds = sum(pids.map(cpuSecondsOf))
  await wait(idleMs)
  const memory = pids.map(residentMib)
  child.kill('SIGTERM')
  await ended
  return { seconds, cpuSeconds, serverMib: memory.at(-1) ?? 0, totalMib: sum(memory) }
}
