import { assertNoTransaction } from '../database/transaction.ts'
import type { TwilioConfig } from '../config/index.ts'

const timeoutMs = 10_000
const twilioApi = 'https://api.twilio.com'

/** Sends one text message. @throws the error of Twilio's package when Twilio did not take it. */
export type SendText = (to: string, body: string) => Promise<void>

/**
 * Connects to Twilio by its own package, which is loaded only here: most servers have no use for it.
 * With TWILIO_BASE_URL the requests go there instead.
 */
export const connectTwilio = async ({ accountSid, authToken, from, baseUrl }: TwilioConfig): Promise<SendText> => {
  const { default: twilio } = await import('twilio')
  class Requests extends twilio.RequestClient {
    override async request<TData>(options: Parameters<typeof twilio.RequestClient.prototype.request<TData>>[0]) {
      const uri = baseUrl === undefined ? options.uri : options.uri.replace(twilioApi, baseUrl)
      return await super.request<TData>({ ...options, uri })
    }
  }
  const client = twilio(accountSid, authToken, { httpClient: new Requests({ timeout: timeoutMs }) })
  return async (to, body) => {
    assertNoTransaction()
    await client.messages.create({ to, from, body })
  }
}
