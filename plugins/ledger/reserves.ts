import fp from 'fastify-plugin'
import type { Trx } from '../database/types.ts'

/** What a domain needs to stay in a wallet, in hundredths of a credit. Called while the wallet is locked. */
type Reserve = (trx: Trx, walletId: string) => Promise<number>

/** Lets domains that know wallets keep credits in them, although those who move the credits know nothing of these domains. */
export interface Reserves {
  /** Adds the reserve of a domain. */
  keep(reserve: Reserve): void
  /** The sum of all reserves of a wallet, in hundredths of a credit. It can exceed the balance. */
  of(trx: Trx, walletId: string): Promise<number>
}

declare module 'fastify' {
  interface FastifyInstance {
    reserves: Reserves
  }
}

const createReserves = (): Reserves => {
  const reserves: Reserve[] = []
  return {
    keep: (reserve) => void reserves.push(reserve),
    async of(trx, walletId) {
      let sumCents = 0
      for (const reserve of reserves) sumCents += await reserve(trx, walletId)
      return sumCents
    }
  }
}

export default fp(
  async (app) => {
    app.decorate('reserves', createReserves())
  },
  { name: 'reserves' }
)
