import { defineProblem } from '../../plugins/http/errors/problem.ts'

export const emailTaken = defineProblem({
  status: 409,
  code: 'email_taken',
  meaning: 'A user with this email address already exists. Upper and lower case are the same.',
  cure: 'Sign in, or sign up with another address.',
  describe: () => 'An account with this email address already exists. Sign in instead.'
})
export const invalidCredentials = defineProblem({
  status: 401,
  code: 'invalid_credentials',
  meaning: 'The email address or the password is wrong. The response does not say which one.',
  cure: 'Check both, then retry. Ten attempts per minute are allowed.'
})
