import type { FastifyPluginAsync } from 'fastify'

const ingest: FastifyPluginAsync = async () => {
  await Promise.resolve()
}

export default ingest
