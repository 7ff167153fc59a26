import { createHash } from 'node:crypto'
import type { Threads } from '../../plugins/threads.ts'
import type { Accuracy } from './accuracy.ts'
import { tooManyForecasts } from './errors.ts'
import type { AccuracyTask, ForecastOutcome, ForecastTask } from './forecast-thread.ts'
import { createResultCache } from './result-cache.ts'
import { createTurns } from './turns.ts'

/** A forecast of a year takes 50 to 100 KB, with its evidence. */
const rememberedForecasts = 256
/** For each tenant: how many tasks are computed at a time, and how many wait for that. */
const perTenant = { running: 2, waiting: 16 }

/** What determines a forecast. */
export interface ForecastSubject extends Omit<ForecastTask, 'transactionsJson'> {
  partnerId: string
  environments: string[]
  userId: string
  timeZone: string
  /** The position of the latest change in the end-user's feed of transactions. */
  feedHead: number
}

/** A hash of everything that determines a forecast. */
export const basisOf = ({ partnerId, environments, userId, feedHead, ...request }: ForecastSubject): string => {
  const { asOf, timeZone, currency, horizonDays, accounts } = request
  const balances = accounts.map(({ id, currentBalanceCents, availableBalanceCents }) => [
    id,
    currentBalanceCents,
    availableBalanceCents
  ])
  const basis = [partnerId, environments, userId, feedHead, asOf, timeZone, currency, horizonDays, balances]
  return createHash('sha256').update(JSON.stringify(basis)).digest('base64url')
}

export type ForecastThreads = Pick<Threads<ForecastTask | AccuracyTask, ForecastOutcome | Accuracy>, 'run'>

/** Computes forecasts, each once, and few tasks of one tenant at a time. */
export const createForecasts = (threads: ForecastThreads) => {
  const turns = createTurns(perTenant, () => tooManyForecasts())
  const results = createResultCache<ForecastOutcome>(rememberedForecasts)
  return {
    /**
     * @param readTransactions is only called when the forecast has to be computed.
     * @throws ProblemError 429 `too_many_forecasts`
     */
    forecast: async (subject: ForecastSubject, readTransactions: () => Promise<string>): Promise<ForecastOutcome> =>
      await results.get(basisOf(subject), () =>
        turns.take(subject.partnerId, async () => {
          const { currency, accounts, asOf, horizonDays } = subject
          const task = { transactionsJson: await readTransactions(), currency, accounts, asOf, horizonDays }
          return (await threads.run(task)) as ForecastOutcome
        })
      ),
    /** Compares past forecasts with what happened. @throws ProblemError 429 `too_many_forecasts` */
    judge: async (partnerId: string, readTask: () => Promise<AccuracyTask>): Promise<Accuracy> =>
      await turns.take(partnerId, async () => (await threads.run(await readTask())) as Accuracy)
  }
}

export type Forecasts = ReturnType<typeof createForecasts>
