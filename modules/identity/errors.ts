import { defineProblem } from '../../plugins/http/errors/problem.ts'

export const emailTaken = defineProblem({
  status: 409,
  code: 'email_taken',
  meaning: 'The address belongs to a user of this server already; capitals make no other address of it.',
  cure: 'Sign in with it, or sign up with another address.'
})
export const invalidCredentials = defineProblem({
  status: 401,
  code: 'invalid_credentials',
  meaning: 'The address and the password do not belong together. Which of the two is wrong is not told.',
  cure: 'Check both and try again; there are ten tries a minute.'
})
