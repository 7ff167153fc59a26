import { readdirSync } from 'node:fs'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'

const folder = new URL('.', import.meta.url)

/** Registers `plugin.ts` of every folder beside this file, each in its own context. */
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
