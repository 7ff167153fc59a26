import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * How long a statement may take. A database that has not answered by then is as good as away: its connection is given up, so that no request waits for
 * ever. Shorter than load balancers wait.
 */
export const defaultStatementLimitMs = 20_000

/** The longest time that a timer takes, 24 days. */
const noLimitMs = 2 ** 31 - 1

const unhurried = new AsyncLocalStorage<true>()

/** Runs work over whole tables, such as migrations and checks of the book, whose statements take as long as they need. */
export const withoutTimeLimit = async <T>(work: () => Promise<T>): Promise<T> => await unhurried.run(true, work)

/** The limit of the statement that is about to be sent, where it is not the connection's own. */
export const ownLimitMs = (): number | undefined => (unhurried.getStore() === true ? noLimitMs : undefined)
