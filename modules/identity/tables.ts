export interface VerificationCodesTable {
  user_id: string
  kind: 'email' | 'phone'
  /** The e-mail address or the phone number that the code was sent to. */
  target: string
  code_hash: Buffer
  /** Wrong tries. */
  attempts: number
  created_at: Date
  expires_at: Date
}

declare module '../../plugins/database/types.ts' {
  interface Database {
    verification_codes: VerificationCodesTable
  }
}
