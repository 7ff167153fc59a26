import { createHmac, timingSafeEqual } from 'node:crypto'
import fp from 'fastify-plugin'
import { invalidCursor } from '../http/errors/kinds.ts'

export type CursorPosition = readonly (string | number)[]

export interface Cursors {
  /** Encodes a position in a list as an opaque, signed cursor. */
  encode(list: string, position: CursorPosition): string
  /**
   * Decodes a cursor of a list.
   * @throws ProblemError `invalid_cursor` when this server did not create it for that list.
   */
  decode(list: string, cursor: string): CursorPosition
}

const signatureLength = 16

/** Signs cursors with the first key and accepts cursors signed with any key, so that a key rotation breaks no cursor in use. */
export const createCursors = (keys: Buffer[]): Cursors => {
  const [current] = keys
  if (current === undefined) throw new Error('Cursors need at least one signing key.')
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
      const isGenuine =
        given.length === signatureLength && keys.some((key) => timingSafeEqual(sign(key, list, payload), given))
      if (!isGenuine)
        throw invalidCursor(
          'This list did not issue the cursor. Send the cursor of the previous page unchanged, or omit it to start from the first page.'
        )
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
  async (app) => {
    app.decorate('cursors', createCursors(app.secrets.derive('cursors')))
  },
  { name: 'cursors', dependencies: ['secrets'] }
)
