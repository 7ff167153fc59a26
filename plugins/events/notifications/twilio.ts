import type { Twilio } from 'twilio'
import { assertNoTransaction } from '../../database/transaction.ts'
import type { TwilioConfig } from '../../config/index.ts'

const timeoutMs = 10_000
const twilioApi = 'https://api.twilio.com'

/** Sends one text message. @throws the error of the twilio package when Twilio rejects it. */
export type SendText = (to: string, body: string) => Promise<void>

/** Creates the client of the twilio package, which is imported only where it is used. `baseUrl` redirects its requests. */
export const openTwilio = async ({ accountSid, authToken, baseUrl }: TwilioConfig): Promise<Twilio> => {
  const { default: twilio } = await import('twilio')
  class Requests extends twilio.RequestClient {
    override async request<TData>(options: Parameters<typeof twilio.RequestClient.prototype.request<TData>>[0]) {
      const uri = baseUrl === undefined ? options.uri : options.uri.replace(twilioApi, baseUrl)
      return await super.request<TData>({ ...options, uri })
    }
  }
  return twilio(accountSid, authToken, { httpClient: new Requests({ timeout: timeoutMs }) })
}

/** Creates a function that sends text messages through Twilio. */
export const connectTwilio = async (config: TwilioConfig): Promise<SendText> => {
  const client = await openTwilio(config)
  return async (to, body) => {
    assertNoTransaction()
    await client.messages.create({ to, from: config.from, body })
  }
}
