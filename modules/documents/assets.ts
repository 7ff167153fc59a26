import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { notFound } from '../../plugins/errors/kinds.ts'
import { assetPath } from './pages.ts'

const require = createRequire(import.meta.url)

const swaggerUi = (file: string) => () => join(dirname(require.resolve('@fastify/swagger-ui/package.json')), 'static', file)

/** Redoc is needed for its one bundle only: a build keeps a copy beside this file, so that production goes without the package. */
const redoc = (): string => {
  const copy = fileURLToPath(new URL('./redoc.standalone.js', import.meta.url))
  return existsSync(copy) ? copy : require.resolve('redoc/bundles/redoc.standalone.js')
}

/** What the pages load, by the last part of its path. */
const assets: Readonly<Record<string, () => string>> = {
  'swagger-ui.css': swaggerUi('swagger-ui.css'),
  'swagger-ui-bundle.js': swaggerUi('swagger-ui-bundle.js'),
  'favicon-32x32.png': swaggerUi('favicon-32x32.png'),
  'redoc.standalone.js': redoc
}

/** Serves the scripts and styles of the pages from this server; switched off together with them. */
export const serveAssets = async (app: FastifyInstance): Promise<void> => {
  await app.register(fastifyStatic, { root: fileURLToPath(new URL('.', import.meta.url)), serve: false })
  app.route<{ Params: { name: string } }>({
    method: 'GET',
    url: assetPath(':name'),
    onRequest: async (request, reply) => await app.rateLimiter.take(request, reply, 'standard'),
    handler: (request, reply) => {
      const { name } = request.params
      const locate = app.config.docsEnabled && Object.hasOwn(assets, name) ? assets[name] : undefined
      if (locate === undefined) throw notFound(`There is nothing at GET ${assetPath(name)}. The reference lists every path.`)
      const file = locate()
      return reply.sendFile(basename(file), dirname(file), { cacheControl: true, maxAge: '1h' })
    }
  })
}
