import { createHmac, timingSafeEqual } from 'node:crypto'
import fp from 'fastify-plugin'
import { invalidCursor } from '../http/errors/kinds.ts'

export type CursorPosition = readonly (string | number)[]

export interface Cursors {
  /** Turns a position in the list `list` into an opaque, signed cursor. */
  encode(list: string, position: CursorPosition): string
  /**
   * Reads a cursor of the list `list` back.
   * @throws ProblemError `invalid_cursor` when this server did not give it out for that list.
   */
  decode(list: string, cursor: string): CursorPosition
}

const signatureLength = 16

/** Cursors signed under the first of `keys`; cursors signed under any of them are accepted, so that a key's rotation breaks no running listing. */
export const createCursors = (keys: Buffer[]): Cursors => {
  const [current] = keys
  if (current === undefined) throw new Error('At least one key for cursors is needed.')
  const sign = (key: Buffer, list: string, payload: string): Buffer =>
    createHmac('sha256', key).update(list).update('\n').update(payload).digest().subarray(0, signatureLength)
  return {
    encode(list, position) {
      const payload = Buffer.from(JSON.stringify(position)).toString('base64url')
      return `${payload}.${sign(current, list, payload).toString('base64url')}`
    },
    decode(list, cursor) {
      const [payload = '', signature = ''] = cursor.split('.', 2)
      const given = Buffer.from(signature, 'base64url')
      const genuine =
        given.length === signatureLength && keys.some((key) => timingSafeEqual(sign(key, list, payload), given))
      if (!genuine) throw invalidCursor('The cursor is not one that this list gave out. Leave it out to begin anew.')
      return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as CursorPosition
    }
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    cursors: Cursors
  }
}

export default fp(
  (app, _options, done) => {
    app.decorate('cursors', createCursors(app.secrets.derive('cursors')))
    done()
  },
  { name: 'cursors', dependencies: ['secrets'] }
)
