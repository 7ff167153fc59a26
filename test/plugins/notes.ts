import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import { bindOperations } from '../../plugins/operations/index.ts'
import { validationFailed } from '../../plugins/http/errors/kinds.ts'
import type { OperationTable } from '../../plugins/operations/table.ts'

const Note = Type.Object({ id: Type.String(), text: Type.String() })
const Body = Type.Object(
  { text: Type.String({ maxLength: 2_000_000 }), amount: Type.Optional(Type.Number({ multipleOf: 0.01 })) },
  { additionalProperties: false }
)
const Form = Type.Object({ request_id: Type.Integer() }, { additionalProperties: false })
const Problem = Type.Any()

const shared = {
  group: 'notes',
  tag: 'Notes',
  rateLimitClass: 'standard',
  bodyRequired: true,
  scopes: [],
  security: [['PartnerKey'], ['PersonalAccessToken']]
} as const

/** A small group of operations that writes to its own table. Guarantees tested with it apply to every group. */
const noteOperations = {
  createNote: {
    ...shared,
    operationId: 'createNote',
    method: 'POST',
    path: '/test/notes',
    url: '/test/notes',
    bodyTypes: ['application/json'],
    idempotent: true,
    scopes: ['notes:write'],
    schema: { body: Body, response: { 201: Note, 400: Problem } }
  },
  copyNote: {
    ...shared,
    operationId: 'copyNote',
    method: 'POST',
    path: '/test/copies',
    url: '/test/copies',
    bodyTypes: ['application/json'],
    idempotent: true,
    schema: { body: Body, response: { 201: Note, 400: Problem } }
  },
  sendNote: {
    ...shared,
    operationId: 'sendNote',
    method: 'POST',
    path: '/test/sent',
    url: '/test/sent',
    bodyTypes: ['application/json'],
    idempotent: true,
    schema: { body: Body, response: { 201: Note, 400: Problem } },
    extensions: { 'x-upstream': 'post' }
  },
  decideNote: {
    ...shared,
    operationId: 'decideNote',
    method: 'POST',
    path: '/test/decisions',
    url: '/test/decisions',
    bodyTypes: ['application/x-www-form-urlencoded'],
    idempotent: true,
    schema: { body: Form, response: { 200: Form, 400: Problem } }
  }
} as const satisfies OperationTable

export interface NotesOptions {
  /** Awaited inside `sendNote` before its effect, like a call to another service. Receives the onward key. */
  post?: (onwardKey: string) => Promise<void>
  /** Awaited inside the transaction of `createNote`. */
  meanwhile?: () => Promise<void>
}

export const createNotesTable = sql`create table if not exists test_notes (id text primary key, text text not null)`

const insertNote = (id: string, text: string) => sql`insert into test_notes values (${id}, ${text})`

export const bindNotes = (app: FastifyInstance, { post, meanwhile }: NotesOptions = {}): void => {
  const create = async ({
    db,
    body,
    request
  }: {
    db: Parameters<ReturnType<typeof insertNote>['execute']>[0]
    body: { text: string }
    request: { id: string }
  }) => {
    await insertNote(request.id, body.text).execute(db)
    await meanwhile?.()
    if (body.text === 'refuse') throw validationFailed('Rejected after the row was written.')
    if (body.text === 'crash') throw new Error('a fault with a secret in it: hunter2')
    return { status: 201, id: request.id, text: body.text }
  }
  bindOperations(app, noteOperations, {
    createNote: create,
    copyNote: create,
    async sendNote({ body, onwardKey, request }) {
      await post?.(onwardKey)
      return async (db) => {
        await insertNote(request.id, body.text).execute(db)
        return { id: request.id, text: body.text }
      }
    },
    async decideNote({ body }) {
      return { request_id: body.request_id }
    }
  })
}
