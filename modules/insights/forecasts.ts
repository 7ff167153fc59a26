import type { Threads } from '../../plugins/threads.ts'
import { tooManyForecasts } from './errors.ts'
import type { ForecastOutcome, ForecastTask } from './forecast-thread.ts'
import { createResultCache } from './result-cache.ts'
import { createTurns } from './turns.ts'

/** A forecast of a year takes about 50 KB. */
const rememberedForecasts = 256
/** For each tenant: how many forecasts are computed at a time, and how many wait for that. */
const perTenant = { running: 2, waiting: 16 }

/** What determines a forecast. */
export interface ForecastSubject extends Omit<ForecastTask, 'transactionsJson'> {
  partnerId: string
  environments: string[]
  userId: string
  accountIds: string[]
  /** The position of the latest change in the end-user's feed of transactions. */
  feedHead: number
}

const keyOf = ({ partnerId, environments, userId, feedHead, asOf, ...request }: ForecastSubject): string =>
  JSON.stringify([
    partnerId,
    environments,
    userId,
    feedHead,
    asOf,
    request.horizonDays,
    request.currentBalanceCents,
    request.accountIds
  ])

/** Computes forecasts, each once, and few of one tenant at a time. */
export const createForecasts = (threads: Pick<Threads<ForecastTask, ForecastOutcome>, 'run'>) => {
  const turns = createTurns(perTenant, () => tooManyForecasts())
  const results = createResultCache<ForecastOutcome>(rememberedForecasts)
  /**
   * @param readTransactions is only called when the forecast has to be computed.
   * @throws ProblemError 429 `too_many_forecasts`
   */
  return async (subject: ForecastSubject, readTransactions: () => Promise<string>): Promise<ForecastOutcome> =>
    await results.get(keyOf(subject), () =>
      turns.take(subject.partnerId, async () => {
        const { currentBalanceCents, asOf, horizonDays } = subject
        return await threads.run({
          transactionsJson: await readTransactions(),
          currentBalanceCents,
          asOf,
          horizonDays
        })
      })
    )
}
