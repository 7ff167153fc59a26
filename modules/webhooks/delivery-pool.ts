import type { FastifyInstance } from 'fastify'
import type { Dispatcher } from 'undici'
import { newId } from '../../plugins/ids.ts'
import { deliverToEndpoint, leaseMs, type DeliveryDependencies } from './delivery.ts'
import { leaseEndpoints, type LeasedEndpoint, type Slots } from './queries/leases.ts'

/** The endpoints of one kind that one instance delivers to concurrently. */
const slotsPerKind = 64
/** The part of them that one partner can have. */
const slotsPerPartner = 4

export type PoolDependencies = DeliveryDependencies & Pick<FastifyInstance, 'log'>

/**
 * Delivers to endpoints concurrently. Endpoints whose last attempt failed or was slow have slots of their own, so that they take none from those that respond promptly,
 * and each partner has a few slots of both kinds, so that it can only delay itself.
 */
export const createDeliveryPool = (app: PoolDependencies, dispatcher: Dispatcher, onEndpointDone: () => void) => {
  const running = new Map<Promise<void>, LeasedEndpoint>()
  let isStopping = false

  const deliver = (endpoint: LeasedEndpoint, lease: string): void => {
    const { id: webhookId } = endpoint
    const delivery = deliverToEndpoint(app, dispatcher, { webhookId, lease }, () => isStopping)
      .catch((error: unknown) =>
        app.log.error({ err: error, webhookId }, 'deliveries to an endpoint failed; they resume when its lease expires')
      )
      .finally(() => {
        running.delete(delivery)
        onEndpointDone()
      })
    running.set(delivery, endpoint)
  }

  const slots = (): Slots => {
    const endpoints = [...running.values()]
    const countOf = (isResponsive: boolean) =>
      endpoints.filter((endpoint) => endpoint.isResponsive === isResponsive).length
    return {
      perPartner: slotsPerPartner,
      freeResponsive: slotsPerKind - countOf(true),
      freeUnresponsive: slotsPerKind - countOf(false),
      taken: endpoints
    }
  }

  return {
    isIdle: () => running.size === 0,
    /** Leases endpoints with due deliveries and starts delivering to them. @returns how many. */
    async startDue(): Promise<number> {
      if (isStopping || running.size >= 2 * slotsPerKind) return 0
      const lease = newId('lease')
      const endpoints = await leaseEndpoints(app.database.db, { lease, leaseMs, slots: slots(), now: app.clock.now() })
      for (const endpoint of endpoints) deliver(endpoint, lease)
      return endpoints.length
    },
    stopLeasing(): void {
      isStopping = true
    },
    async finished(): Promise<void> {
      await Promise.all(running.keys())
    }
  }
}
