import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { changeSubscriptions, subscribe, type Subscriptions } from '../../../modules/webhooks/subscriptions.ts'
import { startApp, type Cleaner } from '../../build-app.ts'
import { createApi, createPartner, hookFor, startReceiver } from './setup.ts'

/** A server on which events can be written and published later, as while publishing is blocked. */
const start = async (t: Cleaner) => {
  const running = await startApp(t)
  const { app, clock, database, url } = running
  const { partnerId, key } = await createPartner(database.db)
  const receiver = await startReceiver(t)
  let written = 0
  /** Writes an event that is marked as published. @returns a function that publishes it. */
  const write = async (type: string): Promise<() => Promise<void>> => {
    const id = `evt_${++written}`
    await database.db
      .insertInto('events')
      .values({
        id,
        partner_id: partnerId,
        environment: 'test',
        type,
        data: JSON.stringify({ written }),
        created_at: clock.now(),
        published_at: clock.now()
      })
      .execute()
    return async () => {
      await database.db.updateTable('events').set({ published_at: null }).where('id', '=', id).execute()
      await app.outbox.settle()
    }
  }
  const received = () => receiver.received.map(({ path, event }) => `${path} ${event.type}`)
  return { api: createApi(url, key), receiver, write, received }
}

test('an endpoint never receives an event from before its creation, however late it is published', async (t) => {
  const { api, receiver, write, received } = await start(t)
  await hookFor(api, `${receiver.url}/before`)
  const publish = await write('task.created')
  await hookFor(api, `${receiver.url}/after`)
  const publishNext = await write('task.updated')
  await publish()
  assert.deepEqual(received(), ['/hooks/before task.created'])
  await publishNext()
  assert.deepEqual(received().sort(), [
    '/hooks/after task.updated',
    '/hooks/before task.created',
    '/hooks/before task.updated'
  ])
})

test('an enabled endpoint never receives events from before or during its time as disabled', async (t) => {
  const { api, receiver, write, received } = await start(t)
  const { id } = await hookFor(api, receiver.url)
  const publishFirst = await write('task.created')
  await api('PATCH', `/v1/webhooks/${id}`, { status: 'disabled' })
  const publishSecond = await write('task.updated')
  await api('PATCH', `/v1/webhooks/${id}`, { status: 'enabled' })
  const publishThird = await write('task.completed')
  await publishFirst()
  await publishSecond()
  await publishThird()
  assert.deepEqual(received(), ['/hooks task.completed'])
})

test('a new type starts with events after the change, and remaining types lose none', async (t) => {
  const { api, receiver, write, received } = await start(t)
  const { id } = await hookFor(api, receiver.url, ['task.created', 'loan.*'])
  const held = [await write('task.created'), await write('task.updated'), await write('loan.repaid')]
  await api('PATCH', `/v1/webhooks/${id}`, { events: ['task.*', 'loan.repaid', 'transfer.*'] })
  await api('PATCH', `/v1/webhooks/${id}`, { status: 'enabled', description: 'It was enabled throughout.' })
  for (const publish of held) await publish()
  assert.deepEqual(received(), ['/hooks task.created', '/hooks loan.repaid'])
  await (
    await write('task.updated')
  )()
  assert.deepEqual(received().slice(2), ['/hooks task.updated'])
})

const types = ['task.created', 'task.updated', 'loan.repaid']
const wanted = fc.uniqueArray(fc.constantFrom('*', 'task.*', 'loan.*', ...types), { minLength: 1 })

const matches = (events: readonly string[], type: string): boolean =>
  events.includes('*') || events.includes(type) || events.includes(`${type.split('.')[0]}.*`)

/** As `publish_events` decides. */
const receives = (subscriptions: Subscriptions, type: string, position: number): boolean =>
  ['*', type, `${type.split('.')[0]}.*`].some((one) => position > (subscriptions[one] ?? Infinity))

test('an endpoint receives exactly the events to whose type it has been subscribed since their commit', async () => {
  fc.assert(
    fc.property(fc.array(wanted, { minLength: 1, maxLength: 8 }), (lists) => {
      let subscriptions: Subscriptions = {}
      for (const [step, events] of lists.entries()) {
        subscriptions = step === 0 ? subscribe(events, 0) : changeSubscriptions(subscriptions, events, step)
        for (const event of events) assert.ok(event in subscriptions, 'the constraint of the table')
        // The event at position n was written right before change n.
        for (let position = 1; position <= step + 1; position++)
          for (const type of types)
            assert.equal(
              receives(subscriptions, type, position),
              lists.slice(position - 1, step + 1).every((list) => matches(list, type)),
              `${type} at ${position} after change ${step}`
            )
      }
    })
  )
})
