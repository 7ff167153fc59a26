import type { Socket } from 'node:net'

/** The connections of the API server, as opposed to those of the simulators in the same process. */
const served = new WeakSet<Socket>()

export const markServed = (socket: Socket): void => void served.add(socket)

export const isServed = (socket: Socket): boolean => served.has(socket)
