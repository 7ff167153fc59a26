import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { Agent, request } from 'undici'

/** What an attacker has: the server's URL and its own tenant. */
export interface Target {
  url: string
  key: string
  userId: string
}

export interface Attack {
  name: string
  /** A short description for the report. */
  what: string
  /** Attacks until the signal aborts. */
  run(target: Target, signal: AbortSignal): Promise<void>
}

/** Attackers do not share an address with the measured client. */
const addressOf = (attacker: number): string => `127.0.0.${10 + attacker}`

const open = async (url: string, attacker: number): Promise<Socket> =>
  await new Promise((done) => {
    const { hostname, port } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port), localAddress: addressOf(attacker) })
    socket.on('error', () => done(socket)).once('connect', () => done(socket))
  })

/** Runs `attackers` loops concurrently. Each runs `step` repeatedly, with a pause of `pauseMs` in between. */
const repeat = async (
  signal: AbortSignal,
  attackers: number,
  pauseMs: number,
  step: (attacker: number) => Promise<void>
): Promise<void> => {
  await Promise.all(
    Array.from({ length: attackers }, async (_, attacker) => {
      while (!signal.aborted) {
        await step(attacker)
        await wait(pauseMs)
      }
    })
  )
}

const sender = (attacker: number): Agent => new Agent({ localAddress: addressOf(attacker), connections: 8 })

const post = async (
  dispatcher: Agent,
  url: string,
  body: string,
  headers: Record<string, string> = {}
): Promise<void> => {
  const response = await request(url, {
    method: 'POST',
    dispatcher,
    headers: { 'content-type': 'application/json', ...headers },
    body
  }).catch(() => undefined)
  await response?.body.dump()
}

const get = async (dispatcher: Agent, url: string, headers: Record<string, string>): Promise<void> => {
  const response = await request(url, { dispatcher, headers }).catch(() => undefined)
  await response?.body.dump()
}

const authorised = ({ key }: Target): Record<string, string> => ({ authorization: `Bearer ${key}` })

const resets: Attack = {
  name: 'resets',
  what: 'pipelined requests whose connections are reset',
  run: async ({ url }, signal) =>
    await repeat(signal, 4, 20, async (attacker) => {
      const socket = await open(url, attacker)
      socket.write('GET /v2/api/score?agent_id=none HTTP/1.1\r\nHost: here\r\n\r\n'.repeat(20))
      await wait(3)
      socket.resetAndDestroy()
    })
}

const slowBodies: Attack = {
  name: 'slow-bodies',
  what: 'hundreds of connections that send headers and bodies a byte at a time',
  run: async ({ url }, signal) =>
    await repeat(signal, 400, 1_000, async (attacker) => {
      const socket = await open(url, attacker % 4)
      socket.write(
        attacker % 2 === 0
          ? 'POST /api/v1/auth/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{'
          : 'GET / HTTP/1.1\r\nHost: here\r\nX-Slow: '
      )
      while (!signal.aborted && socket.writable) {
        socket.write('a')
        await wait(1_000)
      }
      socket.destroy()
    })
}

const patterns: Attack = {
  name: 'patterns',
  what: 'long texts that make patterns backtrack',
  run: async (target, signal) => {
    const text = JSON.stringify({ name: `${'a'.repeat(60_000)}\u0000`, agent_id: `${'a'.repeat(60_000)}\u0000` })
    const senders = [0, 1].map(sender)
    await repeat(signal, 2, 100, async (attacker) => {
      await post(senders[attacker] as Agent, `${target.url}/v1/projects`, text, authorised(target))
      await post(senders[attacker] as Agent, `${target.url}/api/register`, text)
    })
  }
}

const signIns: Attack = {
  name: 'sign-ins',
  what: '60 sign-ins a second, of many accounts',
  run: async ({ url }, signal) => {
    const senders = [0, 1, 2, 3].map(sender)
    let count = 0
    await repeat(signal, 12, 200, async (attacker) => {
      const body = JSON.stringify({
        email: `victim-${(count += 1) % 5_000}@example.test`,
        password: 'a wrong password'
      })
      await post(senders[attacker % 4] as Agent, `${url}/api/v1/auth/login`, body)
    })
  }
}

const forecasts: Attack = {
  name: 'forecasts',
  what: 'forecasts of one tenant, up to its rate limit',
  run: async (target, signal) => {
    const senders = [0, 1].map(sender)
    let horizon = 0
    await repeat(signal, 16, 20, async (attacker) => {
      const days = 1 + ((horizon += 1) % 90)
      const path = `/v1/insights/cashflow?user_id=${target.userId}&horizon_days=${days}`
      await get(senders[attacker % 2] as Agent, `${target.url}${path}`, authorised(target))
    })
  }
}

const largeBodies: Attack = {
  name: 'large-bodies',
  what: 'bodies with as many invalid items as are parsed, and with more, and batches of tool calls',
  run: async (target, signal) => {
    const wrong = [12_000, 100_000].map((count) =>
      JSON.stringify({ events: Array.from({ length: count }, () => ({})) })
    )
    const calls = JSON.stringify(
      Array.from({ length: 5_000 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'tools/list' }))
    )
    const senders = [0, 1].map(sender)
    await repeat(signal, 4, 250, async (attacker) => {
      const by = senders[attacker % 2] as Agent
      for (const body of wrong)
        for (const path of ['/v1/ingest', '/v1/projects'])
          await post(by, `${target.url}${path}`, body, authorised(target))
      await post(by, `${target.url}/mcp`, calls, authorised(target))
    })
  }
}

const silentEndpoints: Attack = {
  name: 'silent-endpoints',
  what: 'forty webhook endpoints that accept connections and never respond',
  async run(target, signal) {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket))
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as AddressInfo
    const attacker = sender(0)
    const headers = authorised(target)
    for (let index = 0; index < 40; index++)
      await post(
        attacker,
        `${target.url}/v1/webhooks`,
        JSON.stringify({ url: `http://127.0.0.1:${port}/${index}`, events: ['*'] }),
        headers
      )
    await repeat(signal, 1, 1_500, async () => {
      await post(attacker, `${target.url}/v1/projects`, '{"name":"noise"}', headers)
      await post(attacker, `${target.url}/api/v1/ingest`, '{}', headers)
    })
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

export const attacks: Attack[] = [resets, slowBodies, patterns, signIns, forecasts, largeBodies, silentEndpoints]
