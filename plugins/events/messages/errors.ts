import { defineProblem } from '../../http/errors/problem.ts'

export const mailNotConfigured = defineProblem({
  status: 503,
  code: 'mail_not_configured',
  meaning: 'This server cannot send mail.',
  cure: 'The operator sets SMTP_URL and SMTP_FROM, or verifies the address with `npm run operator -- verify-email <user id>`.',
  describe: () => 'This server cannot send mail. Ask its operator to verify your e-mail address.'
})
export const textsNotConfigured = defineProblem({
  status: 503,
  code: 'texts_not_configured',
  meaning: 'This server cannot send text messages.',
  cure: 'The operator sets TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_FROM.',
  describe: () => 'This server cannot send text messages, so a phone number is of no use here.'
})
