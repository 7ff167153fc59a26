import { defineProblem } from '../../plugins/http/errors/problem.ts'

export const insufficientHistory = defineProblem({
  status: 422,
  code: 'insufficient_history',
  meaning: 'There are too few days of transactions on the end-user’s cash accounts to forecast from.',
  cure: '`days` tells how many there are and `required` how many it takes. Read GET /v1/transactions to fetch what the bank has, or wait for more.'
})
