import * as plaid from './0001-plaid.ts'
import * as stripe from './0002-stripe.ts'

/** The linear history of schema `simulators`. */
export const migrations = { '0001-plaid': plaid, '0002-stripe': stripe }
