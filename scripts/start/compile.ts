import { bundle } from '../build/bundle.ts'

/** Compiles the server for `npm start` into the folder given as the argument, which has to be inside .cache. */
const [outdir] = process.argv.slice(2)
if (outdir === undefined) throw new Error('Name the folder to compile to.')
await bundle({ entryPoints: ['server.ts', 'scripts/start/check.ts'], outdir, home: '../..' })
