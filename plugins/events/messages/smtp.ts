import type { SmtpConfig } from '../../config/index.ts'
import { assertNoTransaction } from '../../database/transaction.ts'

const timeoutMs = 10_000

export interface Mail {
  to: string
  subject: string
  text: string
}

/** Creates the transport of nodemailer, which is imported only where it is used. A password never travels without TLS, except to this machine. */
export const openSmtp = async ({ host, port, isSecure, user, password }: SmtpConfig) => {
  const { createTransport } = await import('nodemailer')
  const isLocal = ['localhost', '127.0.0.1', '::1'].includes(host)
  return createTransport({
    host,
    port,
    secure: isSecure,
    requireTLS: !isSecure && user !== undefined && !isLocal,
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true
  })
}

/** Creates a function that sends one mail. @throws the error of nodemailer when the mail server does not take it. */
export const connectSmtp = async (config: SmtpConfig): Promise<(mail: Mail) => Promise<void>> => {
  const transport = await openSmtp(config)
  return async ({ to, subject, text }) => {
    assertNoTransaction()
    // An object, because in a text a comma would separate several recipients.
    await transport.sendMail({ from: config.from, to: { name: '', address: to }, subject, text })
  }
}
