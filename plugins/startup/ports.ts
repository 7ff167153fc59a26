import { createServer } from 'node:net'
import type { Config } from '../config/index.ts'
import { StartupError, wordsOf } from './error.ts'

/** Why the server could not listen at an address; undefined when it could. */
export const tryPort = (host: string, port: number): Promise<NodeJS.ErrnoException | undefined> =>
  new Promise((done) => {
    const server = createServer()
    server.once('error', done)
    server.listen({ host, port }, () => server.close(() => done(undefined)))
  })

const explain = (error: NodeJS.ErrnoException, host: string, port: number, setting: string): StartupError => {
  if (error.code === 'EADDRINUSE')
    return new StartupError(
      `Port ${port} is in use: stop the program that uses it, or choose another port, such as ${setting}=${port === 65_535 ? port - 1 : port + 1}.`
    )
  if (error.code === 'EACCES')
    return new StartupError(`This user may not use port ${port}: choose another port, such as ${setting}=3000.`)
  return new StartupError(
    `The server cannot listen at ${host}:${port} (${wordsOf(error)}): set HOST to an address of this machine, such as 127.0.0.1.`
  )
}

type Ports = Pick<Config, 'host' | 'port' | 'metricsPort'>

/**
 * Checks that the server can listen, before it does anything that takes time or changes data.
 *
 * @throws StartupError when it cannot
 */
export const checkPorts = async ({ host, port, metricsPort }: Ports): Promise<void> => {
  for (const [setting, number] of Object.entries({ PORT: port, ATLAS_METRICS_PORT: metricsPort })) {
    const error = number === undefined ? undefined : await tryPort(host, number)
    if (number !== undefined && error !== undefined) throw explain(error, host, number, setting)
  }
}

const isListening = (error: unknown): error is NodeJS.ErrnoException & { port?: number } =>
  error instanceof Error && 'syscall' in error && error.syscall === 'listen'

/** Explains an error of listening, for the case that another program took the port after it was checked. Returns other errors unchanged. */
export const explainListening = (error: unknown, { host, port, metricsPort }: Ports): unknown => {
  if (!isListening(error)) return error
  return metricsPort !== undefined && error.port === metricsPort
    ? explain(error, host, metricsPort, 'ATLAS_METRICS_PORT')
    : explain(error, host, port, 'PORT')
}
