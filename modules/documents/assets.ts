import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { notFound } from '../../plugins/http/errors/kinds.ts'
import { assetPath } from './pages.ts'
import { isCurrent, staticText, type StaticText } from './static-text.ts'

const require = createRequire(import.meta.url)
const anHour = 'public, max-age=3600'

const swaggerUiFolder = (): string => join(dirname(require.resolve('@fastify/swagger-ui/package.json')), 'static')

/** Redoc is needed for its one bundle only: a build keeps a copy beside this file, so that production goes without the package. */
const redocFile = (): string => {
  const copy = fileURLToPath(new URL('./redoc.standalone.js', import.meta.url))
  return existsSync(copy) ? copy : require.resolve('redoc/bundles/redoc.standalone.js')
}

/** The logo that Redoc asks of its maker's host, and the empty image in its place: whoever reads this reference is nobody else's business. */
const foreignLogo = /https:\/\/cdn\.redoc\.ly\/[\w./-]+\.svg/g
const emptyImage = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='

let redoc: StaticText | undefined
const readRedoc = (): StaticText =>
  (redoc ??= staticText(readFileSync(redocFile(), 'utf8').replace(foreignLogo, emptyImage)))

const sendRedoc = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const bundle = readRedoc()
  reply.headers({ etag: bundle.etag, 'cache-control': anHour })
  return isCurrent(request.headers['if-none-match'], bundle)
    ? reply.code(304).send()
    : reply.type('text/javascript; charset=utf-8').send(bundle.text)
}

const sendSwaggerUi = (file: string) => (_request: FastifyRequest, reply: FastifyReply) =>
  reply.sendFile(file, swaggerUiFolder(), { cacheControl: true, maxAge: '1h' })

/** What the pages load, by the last part of its path. */
const assets = new Map([
  ['swagger-ui.css', sendSwaggerUi('swagger-ui.css')],
  ['swagger-ui-bundle.js', sendSwaggerUi('swagger-ui-bundle.js')],
  ['favicon-32x32.png', sendSwaggerUi('favicon-32x32.png')],
  ['redoc.standalone.js', sendRedoc]
])

/** Serves the scripts and styles of the pages from this server; switched off together with them. */
export const serveAssets = async (app: FastifyInstance): Promise<void> => {
  await app.register(fastifyStatic, { root: fileURLToPath(new URL('.', import.meta.url)), serve: false })
  app.route<{ Params: { name: string } }>({
    method: 'GET',
    url: assetPath(':name'),
    onRequest: async (request, reply) => await app.rateLimiter.take(request, reply, 'standard'),
    handler: (request, reply) => {
      const { name } = request.params
      const sendAsset = app.config.docsEnabled ? assets.get(name) : undefined
      if (sendAsset === undefined)
        throw notFound(`There is nothing at GET ${assetPath(name)}. The reference lists every path.`)
      return sendAsset(request, reply)
    }
  })
}
