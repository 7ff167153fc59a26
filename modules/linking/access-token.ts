import type { Secrets } from '../../plugins/access/secrets.ts'

/** The encryption context of an access token, which binds it to its row. */
export const tokenContext = (itemId: string): string => `items.access_token:${itemId}`

export const encryptAccessToken = (secrets: Secrets, itemId: string, token: string): Buffer =>
  secrets.encrypt(token, tokenContext(itemId))

/** @returns Plaid's access token: never log, store or return it. */
export const decryptAccessToken = (secrets: Secrets, item: { id: string; encryptedAccessToken: Buffer }): string =>
  secrets.decrypt(item.encryptedAccessToken, tokenContext(item.id))
