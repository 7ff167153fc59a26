/** Whether a subscription list asks for events of this type: by its name, by its group as in `transfer.*`, or by `*`. */
export const subscribes = (subscriptions: readonly string[], type: string): boolean =>
  subscriptions.includes('*') || subscriptions.includes(type) || subscriptions.includes(`${type.split('.', 1)[0]}.*`)

/** An event that is made for one endpoint, whatever that endpoint is subscribed to. */
export const testEventType = 'webhook.test'
