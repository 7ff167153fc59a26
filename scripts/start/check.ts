import { loadConfig } from '../../plugins/config/index.ts'
import { checkStart } from '../../plugins/startup/checks.ts'

/**
 * The data directory that needs an embedded database; undefined with PostgreSQL. `npm start` calls this before it creates one.
 *
 * @throws StartupError when the settings are invalid, or the server could not start for another reason
 */
export const dataDirectory = async (): Promise<string | undefined> => {
  const config = loadConfig(process.env)
  await checkStart(config)
  return config.databaseUrl === undefined ? config.dataDir : undefined
}
