import { explain } from '../modules/bureau/explanation.ts'
import { findEnrolment } from '../modules/bureau/queries/enrolments.ts'
import { readHistory, type RecordedEvent } from '../modules/bureau/queries/events.ts'
import { systemClock } from '../plugins/clock.ts'
import type { Db } from '../plugins/database/types.ts'
import { printable, runWithArguments } from './command.ts'
import { withDatabase } from './database.ts'
import { withProgress } from './progress.ts'

const help = `Usage: npm run bureau:replay -- --agent ID [--at TIME]

Recomputes an agent's credit score from its history. Prints one line per event: the score before and after, the reporter, and the
changed terms, or why the event does not count at present. Then prints the current score with all its terms, and whether the
stored counters match the history. Reads the database in DATABASE_URL, else the embedded one in ATLAS_DATA_DIR (stop the server
first).

  --agent ID   agent to explain (required)
  --at TIME    explain the score at this time (RFC 3339) instead of now
  --help       show this text

Exit codes: 0 when the counters match the history, 1 when they do not, 2 when they could not be compared.`

const pageSize = 1000

const readAll = async (db: Db, agentId: string): Promise<RecordedEvent[]> => {
  const events: RecordedEvent[] = []
  for (;;) {
    const page = await readHistory(db, agentId, events.at(-1)?.id ?? 0, pageSize)
    events.push(...page)
    if (page.length < pageSize) return events
  }
}

const readTime = (text: string | undefined): Date | undefined => {
  if (text === undefined) return undefined
  const time = new Date(text)
  if (Number.isNaN(time.getTime()))
    throw new Error(`--at ${text} is not a time. Use a format such as 2026-06-14T18:00:00Z.`)
  return time
}

const replayAgent = async (db: Db, agentId: string, at: Date | undefined): Promise<number> => {
  const enrolment = await findEnrolment(db, agentId)
  if (enrolment === undefined || (at !== undefined && enrolment.enrolledAt > at)) {
    throw new Error(
      `The agent ${agentId} is not enrolled${at === undefined ? '' : ' at that time'}. Enrol it with POST /v2/api/register.`
    )
  }
  const events = await readAll(db, agentId)
  const whole = explain(enrolment, events, systemClock.now())
  const shown =
    at === undefined
      ? whole
      : explain(
          enrolment,
          events.filter((event) => event.createdAt <= at),
          at
        )
  // Stored counters exist only for the present, so the last line compares the whole history.
  const lines = at === undefined ? whole.lines : [...shown.lines.slice(0, -1), ...whole.lines.slice(-1)]
  for (const line of lines) console.log(printable(line))
  return whole.agrees ? 0 : 1
}

const options = { agent: { type: 'string' }, at: { type: 'string' } } as const

runWithArguments({ help, options, failureCode: 2 }, async ({ agent, at }) => {
  if (agent === undefined) throw new Error('--agent ID is missing. See --help.')
  const time = readTime(at)
  return await withDatabase((db) => withProgress('Reading the history', () => replayAgent(db, agent, time)))
})
