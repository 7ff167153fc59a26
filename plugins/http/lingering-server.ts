import { Server } from 'node:http'

/**
 * An HTTP server that can stop listening without closing idle connections, on which requests may be on their way. Node's own `close` does both.
 */
export class LingeringServer extends Server {
  #isLingering = false

  /** Accepts no more connections and leaves those that are open to the caller. */
  stopListening(): void {
    this.#isLingering = true
    this.close()
    this.#isLingering = false
  }

  override closeIdleConnections(): void {
    if (!this.#isLingering) super.closeIdleConnections()
  }
}
