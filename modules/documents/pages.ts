import { createHash } from 'node:crypto'

/** The path of a script or style that a page loads. */
export const assetPath = (name: string): string => `/docs/assets/${name}`

export interface Page {
  html: string
  /** Its Content-Security-Policy: nothing is loaded from or sent to any other host. */
  policy: string
}

const startSwaggerUi = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  docExpansion: 'none',
  defaultModelsExpandDepth: 0,
  filter: true,
  validatorUrl: null
})`

const hashOf = (script: string): string => `'sha256-${createHash('sha256').update(script).digest('base64')}'`

const policyOf = (scripts: string, more = ''): string =>
  `default-src 'none'; script-src ${scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; ` +
  `${more}base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

const document = (title: string, head: string, body: string): string =>
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" type="image/png" href="${assetPath('favicon-32x32.png')}">
${head}
</head>
<body style="margin: 0">
${body}
</body>
</html>
`

/** The reference in Swagger UI, whose Try it out sends requests to this server. */
export const swaggerUiPage: Page = {
  html: document(
    'AtlasForge: try the API',
    `<link rel="stylesheet" href="${assetPath('swagger-ui.css')}">`,
    `<div id="reference"></div>\n<script src="${assetPath('swagger-ui-bundle.js')}"></script>\n<script>${startSwaggerUi}</script>`
  ),
  policy: policyOf(`'self' ${hashOf(startSwaggerUi)}`)
}

/** The reference in Redoc. Its search runs in a worker that it makes from a blob; the logo that it asks of its own host is refused by the policy. */
export const redocPage: Page = {
  html: document(
    'AtlasForge: the API reference',
    '',
    `<redoc spec-url="/openapi.json" hide-download-button native-scrollbars></redoc>\n<script src="${assetPath('redoc.standalone.js')}"></script>`
  ),
  policy: policyOf("'self'", "worker-src 'self' blob:; ")
}
