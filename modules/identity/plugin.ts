import cookie from '@fastify/cookie'
import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/identity.ts'
import { handlers } from './handlers.ts'
import { prepareDecoy } from './passwords.ts'

const identity: FastifyPluginAsync = async (app) => {
  await prepareDecoy()
  await app.register(cookie)
  bindOperations(app, operations, handlers(app))
}

export default identity
