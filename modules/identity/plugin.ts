import cookie from '@fastify/cookie'
import type { FastifyPluginAsync } from 'fastify'
import { bindOperations } from '../../plugins/operations/index.ts'
import { operations } from '../../spec/generated/identity.ts'
import { apiKeyHandlers } from './handlers/api-keys.ts'
import { contactHandlers } from './handlers/contacts.ts'
import { profileHandlers } from './handlers/profile.ts'
import { recordHandlers } from './handlers/records.ts'
import { sessionHandlers } from './handlers/sessions.ts'
import { tokenHandlers } from './handlers/tokens.ts'
import { createPasswords } from './passwords.ts'

const identity: FastifyPluginAsync = async (app) => {
  const passwords = await createPasswords(app)
  await app.register(cookie)
  bindOperations(app, operations, {
    ...sessionHandlers(app, passwords),
    ...profileHandlers(app, passwords),
    ...contactHandlers(app),
    ...apiKeyHandlers(app),
    ...tokenHandlers(app),
    ...recordHandlers(app)
  })
}

export default identity
