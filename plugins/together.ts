import fp from 'fastify-plugin'

interface Sending {
  send: () => void
  fail: (error: unknown) => void
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Sends an answer, at the end of the event loop's turn when other requests are under way. `fail` is told when that throws. */
    sendTogether(send: () => void, fail: (error: unknown) => void): void
  }
}

const carryOut = ({ send, fail }: Sending): void => {
  try {
    send()
  } catch (error) {
    fail(error)
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
      ready.forEach(carryOut)
    }
    app.decorate('sendTogether', (send, fail) => {
      if (app.requestsUnderWay() < 2) {
        carryOut({ send, fail })
        return
      }
      if (waiting.length === 0) setImmediate(sendAll)
      waiting.push({ send, fail })
    })
    done()
  },
  { name: 'together', dependencies: ['overload'] }
)
