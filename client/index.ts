export { createAtlasClient, type AtlasClient } from './create-client.ts'
export {
  AtlasConnectionError,
  AtlasError,
  AtlasProblem,
  AtlasSignatureError,
  AtlasTimeout,
  type FieldError,
  type ProblemBody
} from './errors.ts'
export { verifyWebhook, type WebhookToVerify } from './webhooks.ts'
export type {
  Answer,
  AtlasEvent,
  Body,
  CallOptions,
  ClientOptions,
  Fetch,
  GetAccessToken,
  Item,
  OperationId,
  Query
} from './types.ts'
