/**
 * Adds what the package's page lacks: the width of a phone, and Swagger UI's dark mode while the system is dark. Swagger UI focuses the last field
 * of its dialog for credentials; the script moves the focus to the first one, the partner key.
 */
const script = `{
  const viewport = document.createElement('meta')
  viewport.name = 'viewport'
  viewport.content = 'width=device-width, initial-scale=1'
  document.head.append(viewport)
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
  dark.addEventListener('change', follow)
  follow()
  const focusFirst = () => {
    const content = document.querySelector('.dialog-ux .modal-ux-content')
    content?.querySelector('input')?.focus()
    content?.scrollTo(0, 0)
  }
  document.addEventListener('click', ({ target }) => {
    if (target.closest('.auth-wrapper .authorize, .authorization__btn')) requestAnimationFrame(focusFirst)
  })
}
`

/** Lets on narrow screens wrap what Swagger UI lays out in one line, and scroll what cannot wrap. */
const style = `:root { color-scheme: light dark }
@media (max-width: 640px) {
  .swagger-ui .wrapper { padding: 0 10px }
  .swagger-ui .opblock-tag { flex-wrap: wrap; padding-right: 0 }
  .swagger-ui .opblock-tag small { flex: 1 1 100%; order: 1; padding: 0 }
  .swagger-ui .opblock-tag .expand-operation { margin-left: auto }
}
`

/** The additions to Swagger UI's page, served beside its own files. */
export const swaggerTheme = {
  title: 'AtlasForge: try the API',
  css: [{ filename: 'reference.css', content: style }],
  js: [{ filename: 'reference.js', content: script }]
}
