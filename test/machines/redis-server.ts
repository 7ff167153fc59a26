import type { Cleaner } from '../build-app.ts'
import { freePort, listens } from './ports.ts'
import { makeFolder, needProgram, startProgram, type Program } from './programs.ts'
import { until } from './waiting.ts'

export interface RedisServer {
  url: string
  start(): Promise<void>
  /** Kills it. */
  crash(): Promise<void>
}

/** A Redis that belongs to the test, which may kill it. */
export const startRedis = async (t: Cleaner): Promise<RedisServer> => {
  const file = needProgram('redis-server', 'redis-server')
  const folder = makeFolder(t, 'redis')
  const port = await freePort()
  let program: Program | undefined
  const server: RedisServer = {
    url: `redis://127.0.0.1:${port}`,
    async start() {
      program = startProgram(t, file, [
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--save',
        '',
        '--appendonly',
        'no',
        '--dir',
        folder
      ])
      await until('Redis listens', () => listens(port))
    },
    crash: async () => await program?.end('SIGKILL')
  }
  await server.start()
  return server
}
