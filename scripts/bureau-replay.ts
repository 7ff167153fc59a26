import { parseArgs } from 'node:util'
import { explain, type RecordedEvent } from '../modules/bureau/explanation.ts'
import { findEnrolment, readHistory } from '../modules/bureau/queries.ts'
import { systemClock } from '../plugins/clock.ts'
import { loadConfig } from '../plugins/config/index.ts'
import { openDatabase } from '../plugins/database/index.ts'
import type { Db } from '../plugins/database/types.ts'
import { runCommand } from './command.ts'

const help = `Usage: npm run bureau:replay -- --agent ID [--at TIME]

Recomputes an agent's credit score from its history, one line an event: the score before and after, who told it, and which terms
changed. Then the score as of now with all its terms, and whether the counters that the server keeps are those of the history.
Reads the database that the server uses: DATABASE_URL, else the embedded one in ATLAS_DATA_DIR (stop the server first, which
has that one for itself).

  --agent ID   the agent
  --at TIME    explain the score as it was at this time (RFC 3339), from the events until then
  --help       this text

Ends with 0 when the counters agree with the history, with 1 when they do not, with 2 when it could not be told.`

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
  if (Number.isNaN(time.getTime())) throw new Error(`--at ${text} is not a time. Write it like 2026-06-14T18:00:00Z.`)
  return time
}

const replayAgent = async (db: Db, agentId: string, at: Date | undefined): Promise<number> => {
  const enrolment = await findEnrolment(db, agentId)
  if (enrolment === undefined || (at !== undefined && enrolment.enrolledAt > at)) {
    throw new Error(
      `The agent ${agentId} is not enrolled${at === undefined ? '' : ' at that time'}. POST /v2/api/register enrols it.`
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
  // Of an earlier time there are no kept counters to compare with, so its last line is the one of the whole history.
  const lines = at === undefined ? whole.lines : [...shown.lines.slice(0, -1), ...whole.lines.slice(-1)]
  console.log(lines.join('\n'))
  return whole.agrees ? 0 : 1
}

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: { agent: { type: 'string' }, at: { type: 'string' }, help: { type: 'boolean', short: 'h' } }
  })
  if (values.help === true) {
    console.log(help)
    return 0
  }
  if (values.agent === undefined) throw new Error('--agent ID is missing; --help tells more.')
  const at = readTime(values.at)
  const database = await openDatabase(loadConfig(process.env), (error) => console.error(error.message))
  try {
    if (!(await database.migrated()))
      throw new Error('The database lacks migrations. Run `npm run migrate`, or start the server once.')
    return await replayAgent(database.db, values.agent, at)
  } finally {
    await database.close()
  }
}

runCommand(main, 2)
