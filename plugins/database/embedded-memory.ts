import { PGlite } from '@electric-sql/pglite'

/** PGlite reserves 160 MB for buffers by default. The operating system caches the files as well, so a developer's machine needs less. */
const sharedBuffers = '32MB'

/** The command line of the embedded PostgreSQL. */
export const startParams = [...PGlite.defaultStartParams, '-c', `shared_buffers=${sharedBuffers}`]
