import { randomBytes } from 'node:crypto'
import { attacks } from '../test/abuse/attacks.ts'
import { playAttack, prepareSite } from '../test/abuse/site.ts'
import { runToEnd } from '../test/machines/cleanup.ts'
import { runWithArguments } from './command.ts'
import { announce } from './progress.ts'

const help = `Attacks a server in production mode, one attack after another, while a well-behaved client of another tenant uses it. Fails when the client
gets anything but 2xx, when its p99 is more than three times its value without the attack, or when its webhooks are late.

  npm run test:abuse -- --database postgres://…

  --database URL   PostgreSQL server whose user can create databases (default: TEST_DATABASE_URL)
  --seconds N      seconds of each attack (default: 60)
  --only NAME      run only this attack; repeatable
  --list           list the attacks and exit
  --help           show this text

All traffic stays on loopback.
`

const options = {
  database: { type: 'string', default: process.env.TEST_DATABASE_URL ?? '' },
  seconds: { type: 'string', default: '60' },
  only: { type: 'string', multiple: true, default: [] as string[] },
  list: { type: 'boolean' }
} as const

runWithArguments({ help, options }, async (values) => {
  if (values.list === true)
    return void process.stdout.write(`${attacks.map(({ name, what }) => `${name.padEnd(18)}${what}`).join('\n')}\n`)
  if (values.database === '') throw new Error('Set --database or TEST_DATABASE_URL to a PostgreSQL server.')
  const seconds = Number(values.seconds)
  if (!(seconds > 0)) throw new Error('--seconds must be a positive number.')
  const chosen = attacks.filter(({ name }) => values.only.length === 0 || values.only.includes(name))
  if (chosen.length === 0) throw new Error('Unknown attack. Run with --list to see all attacks.')
  const faults: string[] = []
  await runToEnd(async (t) => {
    announce('Compiling and starting a server')
    const site = await prepareSite(t, values.database, randomBytes(32))
    process.stdout.write(
      '| attack | quiet p99, ms | p99 under attack, ms | ratio | requests | not 2xx | slowest webhook, s |\n'
    )
    process.stdout.write('| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n')
    for (const attack of chosen) {
      announce(`Attack ${chosen.indexOf(attack) + 1} of ${chosen.length}: ${attack.name}`)
      const { row, fault } = await playAttack(site, attack, seconds)
      process.stdout.write(`| ${row.join(' | ')} |\n`)
      if (fault !== undefined) faults.push(fault)
    }
  })
  for (const fault of faults) process.stdout.write(`FAULT: ${fault}\n`)
  process.stdout.write(
    faults.length === 0
      ? 'No attack disturbed the client.\n'
      : `${faults.length} of ${chosen.length} attacks disturbed the client.\n`
  )
  return faults.length === 0 ? 0 : 1
})
