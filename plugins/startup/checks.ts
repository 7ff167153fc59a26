import type { Config } from '../config/index.ts'
import { checkDirectory } from '../database/directory-lock.ts'
import { checkPorts } from './ports.ts'

/**
 * Finds what keeps the server from starting, before it does anything that takes time or changes data.
 *
 * @throws StartupError when another process uses the data directory or a port
 */
export const checkStart = async (
  config: Pick<Config, 'databaseUrl' | 'dataDir' | 'host' | 'port' | 'metricsPort'>
): Promise<void> => {
  if (config.databaseUrl === undefined) await checkDirectory(config.dataDir)
  await checkPorts(config)
}
