import { parseArgs } from 'node:util'
import { checkConfiguration, checkKeys, checkNode, checkProduction } from './doctor/configuration.ts'
import { checkDatabase } from './doctor/database.ts'
import { printTable, warn, type Finding } from './doctor/finding.ts'
import { checkPlaid, checkRedis, checkStripe, checkTwilio } from './doctor/neighbours.ts'
import { checkPorts, checkProxy, checkPublicUrl } from './doctor/reachability.ts'

const help = `Checks the configuration in the environment and suggests a fix for each problem. Checks settings and keys, the database
(version, schema, privileges, clock, connections), Redis, Plaid, Stripe, Twilio, the ports, the public URL and the proxy.
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
    Promise.all([checkRedis(config.redisUrl, instances), checkPlaid(config), checkStripe(config), checkTwilio(config)]),
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

const readArguments = (): { instances: number; json: boolean; help: boolean } | undefined => {
  try {
    const { values } = parseArgs({
      options: {
        instances: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false }
      }
    })
    const instances = Number(values.instances)
    return Number.isInteger(instances) && instances >= 1 ? { ...values, instances } : undefined
  } catch {
    return undefined
  }
}

const main = async (): Promise<number> => {
  const asked = readArguments()
  if (asked === undefined || asked.help) {
    ;(asked === undefined ? console.error : console.log)(help)
    return asked === undefined ? 2 : 0
  }
  const findings = await examine(process.env, asked.instances)
  console.log(asked.json ? JSON.stringify(findings, null, 2) : printTable(findings))
  return findings.some(({ state }) => state === 'fail') ? 1 : 0
}

process.exitCode = await main()
