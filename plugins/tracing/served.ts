import type { Socket } from 'node:net'

/** The connections of this process's API, to tell its requests from those of the simulators that run beside it. */
const served = new WeakSet<Socket>()

export const markServed = (socket: Socket): void => void served.add(socket)

export const isServed = (socket: Socket): boolean => served.has(socket)
