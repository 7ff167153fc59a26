import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'

/** The bundled specification stands beside the generated code, in the source and in the build. */
const path = fileURLToPath(new URL('../../spec/generated/openapi.json', import.meta.url))

/** Makes the bundled specification available as `app.swagger()`. */
export const registerSpecification = async (app: FastifyInstance): Promise<void> => {
  await app.register(swagger, { mode: 'static', specification: { path, baseDir: dirname(path) } })
}

/** Prints the specification of a server on which it is registered. The JSON equals the bundle byte for byte. */
export const printSpecification = {
  json: (app: FastifyInstance): string => `${JSON.stringify(app.swagger(), null, 2)}\n`,
  yaml: (app: FastifyInstance): string => app.swagger({ yaml: true })
}
