import type { FastifyPluginAsync } from 'fastify'

const insights: FastifyPluginAsync = async () => {
  await Promise.resolve()
}

export default insights
