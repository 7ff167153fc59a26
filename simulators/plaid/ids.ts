import { seededId } from './random.ts'

/** The account_id of an item's account with this key, derived so that it never changes. */
export const accountIdOf = (itemId: string, key: string): string => seededId('account', itemId, key)
