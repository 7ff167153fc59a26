import type { FastifyReply } from 'fastify'
import { ProblemError } from '../http/errors/problem.ts'
import type { Outcome } from './serialise.ts'

/** Sends the outcome of a request. */
export const respond = (reply: FastifyReply, outcome: Outcome | ProblemError): FastifyReply => {
  if (outcome instanceof ProblemError) return reply.sendProblem(outcome)
  const { status, headers, text } = outcome
  reply.code(status)
  if (text !== undefined) reply.type('application/json; charset=utf-8')
  return reply.headers(headers).send(text)
}
