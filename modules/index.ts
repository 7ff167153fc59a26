import { readdirSync } from 'node:fs'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'

const folder = new URL('.', import.meta.url)

/** Registers every domain: each folder beside this file, by its `plugin`, in a context of its own. Adding or deleting a folder is all it takes. */
export const registerModules = async (app: FastifyInstance): Promise<void> => {
  const domains = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
  const plugins = await Promise.all(
    domains.map(async (domain) => ((await import(`./${domain}/plugin.ts`)) as { default: FastifyPluginAsync }).default)
  )
  for (const plugin of plugins) await app.register(plugin)
}
