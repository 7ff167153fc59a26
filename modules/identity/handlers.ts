import type { FastifyInstance } from 'fastify'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import type { operations } from '../../spec/generated/identity.ts'
import { apiKeyHandlers, tokenHandlers } from './handlers/credentials.ts'
import { profileHandlers } from './handlers/profile.ts'
import { recordHandlers } from './handlers/records.ts'
import { sessionHandlers } from './handlers/sessions.ts'

export const handlers = (app: FastifyInstance): Handlers<typeof operations> => ({
  ...sessionHandlers(app),
  ...profileHandlers(app),
  ...apiKeyHandlers(app),
  ...tokenHandlers(app),
  ...recordHandlers(app)
})
