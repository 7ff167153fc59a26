/**
 * The form of an e-mail address that tells accounts apart: without surrounding spaces, composed, in lower case. `users.email_key` stores it, the
 * database compares it byte by byte, and the sign-in limits count by it, so that no two of them disagree about which account an address means.
 */
export const emailKeyOf = (address: string): string => address.trim().normalize('NFC').toLowerCase().normalize('NFC')
