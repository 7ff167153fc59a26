import { createSocket } from 'node:dgram'
import type { Cleaner } from '../../test-database.ts'

const typeA = 1
const noSuchName = 3

/** The response for a name: an IPv4 address, that there is none, or no response. */
export type DnsResponse = { address: string; ttlSeconds: number } | 'no such name' | 'silence'

export interface DnsServer {
  /** In the format of `dns.Resolver`. */
  address: string
  /** The queried names, one for each query of an IPv4 address. */
  queries: string[]
}

/** The name and type in the first question of a query, and where the question ends. */
const readQuestion = (query: Buffer) => {
  const labels: string[] = []
  let at = 12
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 }
}

const respond = (query: Buffer, response: Exclude<DnsResponse, 'silence'>): Buffer => {
  const { type, end } = readQuestion(query)
  const hasAddress = response !== 'no such name' && type === typeA
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(0x8180 | (response === 'no such name' ? noSuchName : 0), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(hasAddress ? 1 : 0, 6)
  const question = query.subarray(12, end)
  if (!hasAddress) return Buffer.concat([header, question])
  const record = Buffer.alloc(16)
  record.writeUInt16BE(0xc00c, 0)
  record.writeUInt16BE(typeA, 2)
  record.writeUInt16BE(1, 4)
  record.writeUInt32BE(response.ttlSeconds, 6)
  record.writeUInt16BE(4, 10)
  record.set(response.address.split('.').map(Number), 12)
  return Buffer.concat([header, question, record])
}

/** A DNS server on loopback. */
export const startDnsServer = async (t: Cleaner, responseFor: (name: string) => DnsResponse): Promise<DnsServer> => {
  const socket = createSocket('udp4')
  const queries: string[] = []
  socket.on('message', (query, { address, port }) => {
    const { name, type } = readQuestion(query)
    if (type === typeA) queries.push(name)
    const response = responseFor(name)
    if (response !== 'silence') socket.send(respond(query, response), port, address)
  })
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done))
  t.teardown(() => void socket.close())
  return { address: `127.0.0.1:${socket.address().port}`, queries }
}
