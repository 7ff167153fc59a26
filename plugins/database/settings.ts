/**
 * Plans each statement once a connection. Left to itself PostgreSQL plans a page of a large feed anew for each request, because it estimates a limit that is a parameter at
 * a tenth of the table: at 100,000 rows a page took 1.2 to 1.3 times as long, and a score 1.15 times.
 */
export const planOnce = 'set plan_cache_mode = force_generic_plan'

/**
 * Ends a statement when its client is gone. Without it a statement that was given up would go on waiting for a lock, keep its connection, and commit long after its
 * request got 503. A server whose platform cannot check connections goes without.
 */
export const endWithClient = "set client_connection_check_interval = '2s'"
