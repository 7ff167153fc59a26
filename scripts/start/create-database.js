// Creates an empty embedded database in the folder given as the argument. A process of its own, because this takes 700 MB for a moment.
import { setFlagsFromString } from 'node:v8'
import { PGlite } from '@electric-sql/pglite'

// Optimising code that runs once takes a third of the time.
setFlagsFromString('--liftoff-only')
const database = await PGlite.create({ dataDir: process.argv[2] })
await database.close()
