import type { FastifyReply } from 'fastify'
import { ProblemError } from '../http/errors/problem.ts'
import type { Outcome } from './serialise.ts'

/** Node.js sends longer texts twice as fast when they are encoded first. */
const longText = 65_536

/** Sends the outcome of a request. */
export const respond = (reply: FastifyReply, outcome: Outcome | ProblemError): FastifyReply => {
  if (outcome instanceof ProblemError) return reply.sendProblem(outcome)
  const { status, headers, text } = outcome
  reply.code(status)
  if (text !== undefined) reply.type('application/json; charset=utf-8')
  return reply.headers(headers).send(text !== undefined && text.length > longText ? Buffer.from(text) : text)
}
