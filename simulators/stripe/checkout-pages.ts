import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify'
import { messagePage, paymentPage, styleHash } from './checkout-html.ts'
import type { SimulatorContext } from './context.ts'
import { paySession } from './effects.ts'
import { StripeApiError } from './errors.ts'
import { parseForm } from './form.ts'
import { bodyOf, pathParam } from './http.ts'
import { currentSession } from './routes.ts'
import type { SessionRow } from './tables.ts'

const bodyLimit = 16 * 1024
const formType = 'application/x-www-form-urlencoded'

/** The pages that a buyer sees: GET and POST /c/pay/:id. */
export const createCheckoutPages =
  (context: SimulatorContext): FastifyPluginAsync =>
  async (app) => {
    parseFormsHere(app)
    app.addHook('onResponse', async () => {
      context.wakeDelivery()
    })
    app.get('/c/pay/:id', async (request, reply) => {
      const session = await currentSession(context, pathParam(request, 'id'))
      return await show(reply, session)
    })
    app.post('/c/pay/:id', { bodyLimit }, async (request, reply) => {
      const session = await currentSession(context, pathParam(request, 'id'))
      if (session === undefined) return await show(reply, undefined)
      switch (actionOf(bodyOf(request))) {
        case 'pay':
          return await pay(context, reply, session)
        case 'cancel':
          return await cancel(reply, session)
        default:
          return await sendPage(
            reply,
            400,
            messagePage('Nothing was done', 'The form was not complete. Go back and try again.')
          )
      }
    })
  }

/** Parses forms inside this plugin only, because the server around it may have its own parser. */
const parseFormsHere = (app: FastifyInstance): void => {
  if (app.hasContentTypeParser(formType)) app.removeContentTypeParser(formType)
  app.addContentTypeParser(formType, { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, parseForm(String(body)))
    } catch (error) {
      // An unreadable form has no action.
      if (error instanceof StripeApiError) done(null, new Map())
      else done(error instanceof Error ? error : new Error(String(error)))
    }
  })
}

const actionOf = (body: ReturnType<typeof bodyOf>): string | undefined => {
  const action = body.get('action')
  return typeof action === 'string' ? action : undefined
}

const pay = async (context: SimulatorContext, reply: FastifyReply, session: SessionRow): Promise<FastifyReply> => {
  await paySession(context, session.id)
  const now = await currentSession(context, session.id)
  // A second click or tab is redirected like the first: the session is paid once.
  return now?.status === 'complete' ? redirect(reply, successUrl(now)) : await show(reply, now)
}

const cancel = async (reply: FastifyReply, session: SessionRow): Promise<FastifyReply> => {
  if (session.details.cancelUrl !== null) return redirect(reply, session.details.cancelUrl)
  return await sendPage(
    reply,
    400,
    messagePage('Nothing was done', 'The seller gave no page to go back to. You can close this one.')
  )
}

const show = async (reply: FastifyReply, session: SessionRow | undefined): Promise<FastifyReply> => {
  switch (session?.status) {
    case 'open':
      return await sendPage(reply, 200, paymentPage(session), session)
    case 'complete':
      return await sendPage(
        reply,
        200,
        messagePage('Paid', 'This checkout has been paid, once, and cannot be paid again.', {
          href: successUrl(session),
          text: 'Continue'
        })
      )
    case 'expired':
      return await sendPage(
        reply,
        410,
        messagePage(
          'Expired',
          'This checkout session has expired and can no longer be paid.',
          session.details.cancelUrl === null ? undefined : { href: session.details.cancelUrl, text: 'Go back' }
        )
      )
    default:
      return await sendPage(reply, 404, messagePage('Not found', 'There is no such checkout session.'))
  }
}

const sendPage = async (
  reply: FastifyReply,
  status: number,
  html: string,
  session?: SessionRow
): Promise<FastifyReply> => await securely(reply, session).code(status).type('text/html; charset=utf-8').send(html)

const redirect = (reply: FastifyReply, location: string): FastifyReply => {
  // URL percent-encodes characters that a header cannot contain.
  return securely(reply).redirect(new URL(location).href, 303)
}

const successUrl = (session: SessionRow): string =>
  session.details.successUrl.replaceAll('{CHECKOUT_SESSION_ID}', session.id)

/** Browsers apply `form-action` to a form's redirect too, so it lists the shop's origins. */
const securely = (reply: FastifyReply, session?: SessionRow): FastifyReply => {
  const targets = [session?.details.successUrl, session?.details.cancelUrl].flatMap((url) =>
    typeof url === 'string' ? [new URL(url).origin] : []
  )
  const formAction = ["'self'", ...new Set(targets)].join(' ')
  const policy = [
    "default-src 'none'",
    `style-src ${styleHash}`,
    `form-action ${formAction}`,
    "base-uri 'none'",
    "frame-ancestors 'none'"
  ]
  return reply.headers({
    'content-security-policy': policy.join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store'
  })
}
