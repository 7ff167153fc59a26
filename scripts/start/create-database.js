// Creates an empty embedded database in the folder given as the argument. A separate process, because this briefly takes 700 MB.
import { setFlagsFromString } from 'node:v8'
import { PGlite } from '@electric-sql/pglite'

// Optimising code that runs once takes a third of the time.
setFlagsFromString('--liftoff-only')
const database = await PGlite.create({ dataDir: process.argv[2] })
await database.close()
