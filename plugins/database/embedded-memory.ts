import { PGlite } from '@electric-sql/pglite'

/** PGlite reserves 160 MB for buffers, which a desk does not need: the operating system caches the files as well. */
const sharedBuffers = '32MB'

/** What the embedded PostgreSQL is started with. */
export const startParams = [...PGlite.defaultStartParams, '-c', `shared_buffers=${sharedBuffers}`]
