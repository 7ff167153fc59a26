import { emailKeyOf } from '../../plugins/email-address.ts'
import { normalisePassword } from './passwords.ts'

const minLength = 12

/** The longest unit whose repetition is looked for. */
const maxUnitLength = 64

let loading: Promise<ReadonlySet<string>> | undefined

/** The 49,000 most common passwords, in lower case. Loaded on first use, since unpacking them takes longer than other modules. */
const loadCommonPasswords = (): Promise<ReadonlySet<string>> =>
  (loading ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) => new Set(dictionary['passwords-common'].map((password) => password.toLowerCase()))
  ))

/** The shortest text of which a text is a repetition: `abc` for `abcabc`; the text itself when there is none. */
const unitOf = (text: string): string => {
  const longest = Math.min(maxUnitLength, Math.floor(text.length / 2))
  for (let length = 1; length <= longest; length++) {
    const unit = text.slice(0, length)
    if (text.length % length === 0 && unit.repeat(text.length / length) === text) return unit
  }
  return text
}

/**
 * Why a password cannot be a new one, such as "must not be one of the most common passwords"; undefined when it can. It is judged as it is hashed: in
 * the form NFKC. Existing passwords are not judged.
 */
export const passwordFault = async (password: string, email: string): Promise<string | undefined> => {
  const text = normalisePassword(password)
  if ([...text].length < minLength) return `must have at least ${minLength} characters`
  const folded = text.toLowerCase()
  const unit = unitOf(folded)
  if ([...unit].length === 1) return 'must not be one repeated character'
  if (folded === emailKeyOf(email)) return 'must not be the email address'
  const common = await loadCommonPasswords()
  return common.has(folded) || common.has(unit) ? 'must not be one of the most common passwords' : undefined
}
