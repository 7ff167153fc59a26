import { findUser, markEmailVerified, setOperator } from '../modules/admin/index.ts'
import { systemClock } from '../plugins/clock.ts'
import { loadConfig } from '../plugins/config/index.ts'
import { openDatabase, type DatabaseHandle } from '../plugins/database/index.ts'
import { isMigrated, migrateToLatest } from '../plugins/database/migrate.ts'
import { runWithArguments } from './command.ts'

const help = `Grants or revokes the operator role of a user, or verifies a user's e-mail address.

  npm run operator -- promote <user id or verified email>
  npm run operator -- demote <user id or email>
  npm run operator -- verify-email <user id or email>

Anyone can sign up with any address, so you can promote a user by address only once it is verified: by the code that the
server mails, or by you with verify-email, when you know that the account is that person's. GET /api/v1/users/me shows users
their id.

Uses the PostgreSQL database in DATABASE_URL, else the embedded one in ATLAS_DATA_DIR. Only one process at a time can use
the embedded database: stop the server first. The user must already have an account.`

const commands = ['promote', 'demote', 'verify-email'] as const
type Command = (typeof commands)[number]

const open = async (): Promise<DatabaseHandle> => {
  const config = loadConfig(process.env)
  const database = await openDatabase(config, (error) =>
    console.error(`The database connection failed: ${error.message}`)
  ).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(
      `The database cannot be opened. ${reason}\nOnly one process at a time can use the embedded database: stop the server, or set DATABASE_URL.`
    )
  })
  if (config.environment !== 'production') await migrateToLatest(database.db)
  else if (!(await isMigrated(database.db))) {
    await database.close()
    throw new Error('The database schema is outdated. Run `npm run migrate`.')
  }
  return database
}

const run = async ({ db }: DatabaseHandle, command: Command, named: string): Promise<string> => {
  const user = await findUser(db, named)
  if (user === undefined)
    throw new Error(`No user has the id or address ${named}. Create the account first: POST /api/v1/auth/register.`)
  const { id, email } = user
  if (command === 'verify-email') {
    await markEmailVerified(db, id, systemClock.now())
    return `The address ${email} of user ${id} is verified.`
  }
  if (command === 'demote') {
    await setOperator(db, id, false)
    return `${named} is no longer an operator.`
  }
  if (named !== id && user.emailVerifiedAt === null)
    throw new Error(
      `The address ${named} is not verified, so the account can be anyone's. Promote the user by id, or verify the address first.`
    )
  await setOperator(db, id, true)
  return `${named} is an operator, starting with the next request.`
}

const isCommand = (text: string | undefined): text is Command => (commands as readonly unknown[]).includes(text)

runWithArguments({ help, options: {}, allowPositionals: true }, async (_values, [command, named, ...rest]) => {
  if (!isCommand(command) || named === undefined || rest.length > 0) {
    console.error(help)
    return 2
  }
  const database = await open()
  try {
    console.log(await run(database, command, named.trim()))
  } finally {
    await database.close()
  }
})
