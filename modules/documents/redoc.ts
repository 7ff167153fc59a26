import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { contentPolicy } from './content-policy.ts'
import { isCurrent, lazyText, staticText } from './static-text.ts'

const require = createRequire(import.meta.url)

export const redocBundlePath = '/docs/assets/redoc.standalone.js'

/** The reference in Redoc. Its search runs in a worker that Redoc creates from a blob, and it writes its styles into the page. */
export const redocPage = {
  policy: contentPolicy({
    'style-src': "'self' 'unsafe-inline'",
    'font-src': "'self' data:",
    'worker-src': "'self' blob:"
  }),
  html: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>AtlasForge: the API reference</title>
<link rel="icon" type="image/png" href="/docs/static/favicon-32x32.png">
</head>
<body style="margin: 0">
<redoc spec-url="/openapi.json" hide-download-button native-scrollbars></redoc>
<script src="${redocBundlePath}"></script>
</body>
</html>
`
}

/** A build copies the bundle beside this file, so that production does not need the package. */
const bundleFile = (): string => {
  const copy = fileURLToPath(new URL('./redoc.standalone.js', import.meta.url))
  return existsSync(copy) ? copy : require.resolve('redoc/bundles/redoc.standalone.js')
}

/** Redoc loads a logo from its vendor's host. An empty image replaces it, so that reading the reference involves no third party. */
const vendorLogo = /https:\/\/cdn\.redoc\.ly\/[\w./-]+\.svg/g
const emptyImage = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=='

const bundle = lazyText(async () => staticText((await readFile(bundleFile(), 'utf8')).replace(vendorLogo, emptyImage)))

export const sendRedocBundle = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
  const current = await bundle()
  reply.headers({ etag: current.etag, 'cache-control': 'public, max-age=3600' })
  return isCurrent(request.headers['if-none-match'], current)
    ? reply.code(304).send()
    : reply.type('text/javascript; charset=utf-8').send(current.text)
}
