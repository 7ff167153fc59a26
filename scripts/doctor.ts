import { printableLines, runWithArguments } from './command.ts'
import { checkConfiguration, checkKeys, checkNode, checkProduction } from './doctor/configuration.ts'
import { checkDatabase } from './doctor/database.ts'
import { printTable, warn, type Finding } from './doctor/finding.ts'
import { checkMail, checkPlaid, checkRedis, checkStripe, checkTwilio } from './doctor/neighbours.ts'
import { checkPorts, checkProxy, checkPublicUrl } from './doctor/reachability.ts'
import { withProgress } from './progress.ts'

const help = `Checks the configuration in the environment and suggests a fix for each problem. Checks settings and keys, the database
(version, schema, privileges, clock, connections), Redis, Plaid, Stripe, Twilio, the mail server, the ports, the public URL
and the proxy.
The checks are read-only, with one exception: outside production, missing keys are created in the data directory.

  npm run doctor [-- --instances N] [-- --json]   (from the source)
  node dist/scripts/doctor.js                     (from a build)

  --instances N   number of instances that share the database (default: 1)
  --json          print the findings as JSON: [{subject, state, found, cure?}]
  --help          show this text

Exit codes: 0 without errors, 1 with errors, 2 for invalid arguments.`

/** Runs all checks, in the order of the report. */
const examine = async (environment: Record<string, string | undefined>, instances: number): Promise<Finding[]> => {
  const node = checkNode(process.versions.node)
  const { config, findings } = checkConfiguration(environment)
  if (config === undefined)
    return [node, ...findings, warn('other checks', 'were skipped', 'Fix the settings, then run this command again.')]
  const [database, neighbours, ports, publicUrl] = await Promise.all([
    checkDatabase(config, instances),
    Promise.all([
      checkRedis(config.redisUrl, instances),
      checkPlaid(config),
      checkStripe(config),
      checkTwilio(config),
      checkMail(config)
    ]),
    checkPorts(config),
    checkPublicUrl(config)
  ])
  return [
    node,
    ...findings,
    ...checkKeys(config),
    ...checkProduction(config),
    ...database,
    ...neighbours,
    ...ports,
    ...publicUrl,
    ...checkProxy(config)
  ]
}

const options = { instances: { type: 'string', default: '1' }, json: { type: 'boolean' } } as const

runWithArguments({ help, options, failureCode: 2 }, async (values) => {
  const instances = Number(values.instances)
  if (!Number.isInteger(instances) || instances < 1)
    throw new Error('--instances must be a whole number, 1 or more. See --help.')
  const findings = await withProgress('Checking the settings, the database and other services', () =>
    examine(process.env, instances)
  )
  console.log(values.json === true ? JSON.stringify(findings, null, 2) : printableLines(printTable(findings)))
  return findings.some(({ state }) => state === 'fail') ? 1 : 0
})
