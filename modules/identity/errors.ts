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
export const emailAlreadyVerified = defineProblem({
  status: 409,
  code: 'email_already_verified',
  meaning: 'The e-mail address of the user is verified.',
  cure: 'There is nothing to do.',
  describe: () => 'Your e-mail address is already verified.'
})
export const alreadyRotated = defineProblem({
  status: 409,
  code: 'already_rotated',
  meaning: 'The key or token was rotated before, so it has a successor.',
  cure: 'Rotate the successor, or create a new key or token.',
  describe: (id: string, at: Date) => ({
    detail: `\`${id}\` was rotated on ${at.toISOString()}. Rotate its successor instead.`,
    members: { rotatedAt: at.toISOString() }
  })
})
export const invalidCode = defineProblem({
  status: 400,
  code: 'invalid_code',
  meaning: 'The verification code is wrong, was used, has expired, or was tried wrongly five times.',
  cure: 'Check the code of the latest message, or request a new one.',
  describe: () => 'The code is wrong or no longer valid. Check the latest message, or request a new code.'
})
