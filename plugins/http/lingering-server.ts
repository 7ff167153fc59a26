import { Server } from 'node:http'

/**
 * An HTTP server that can stop listening without closing idle connections, on which requests may be in transit. Node's `close` does both.
 */
export class LingeringServer extends Server {
  #isLingering = false

  /** Stops accepting connections. The caller closes the open ones. */
  stopListening(): void {
    this.#isLingering = true
    this.close()
    this.#isLingering = false
  }

  override closeIdleConnections(): void {
    if (!this.#isLingering) super.closeIdleConnections()
  }
}
