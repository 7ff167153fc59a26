import { answer, type Answer } from '../../plugins/operations/answer.ts'

/** A page that browsers revalidate before they show it again. */
export const html = (text: string, policy: string, headers: Record<string, string> = {}): Answer<200, string> =>
  answer(200, text, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'cache-control': 'no-cache',
    ...headers
  })
