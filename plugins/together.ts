import fp from 'fastify-plugin'

interface Sending {
  send: () => void
  fail: (error: unknown) => void
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Sends an answer at the end of the event loop's turn. `fail` is told when that throws. */
    sendTogether(send: () => void, fail: (error: unknown) => void): void
  }
}

/**
 * Answers that become ready in one turn of the event loop leave one right after the other. To wake up whoever waits for an answer costs more than to make
 * most answers, and a proxy that is awake already takes the next ones without being woken for each.
 */
export default fp(
  (app, _options, done) => {
    let waiting: Sending[] = []
    const sendAll = (): void => {
      const ready = waiting
      waiting = []
      for (const { send, fail } of ready) {
        try {
          send()
        } catch (error) {
          fail(error)
        }
      }
    }
    app.decorate('sendTogether', (send, fail) => {
      if (waiting.length === 0) setImmediate(sendAll)
      waiting.push({ send, fail })
    })
    done()
  },
  { name: 'together' }
)
