import { createCollection } from './postman/collection.ts'
import { print } from './print.ts'
import { printSpecification, readSpecification } from './specification.ts'
import { staticText, type StaticText } from './static-text.ts'

const downloads = {
  json: () => printSpecification.json(),
  yaml: () => printSpecification.yaml(),
  collection: () => print(createCollection(readSpecification()))
}

export type Download = keyof typeof downloads

/** The program of a worker thread: prints a download, which takes up to half a second. */
const run = (name: Download): StaticText => staticText(downloads[name]())

export default run
