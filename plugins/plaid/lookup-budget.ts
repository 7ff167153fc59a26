import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'

const windowMs = 60_000
/** Lookups per minute for an address without a genuine webhook, and for one that has delivered one. */
const strangerLookups = 10
const senderLookups = 20
/** The address that was unused for longest is forgotten when there are more. */
const rememberedStrangers = 10_000
const rememberedSenders = 1_000

interface Window {
  startedAt: number
  lookups: number
}

export interface LookupBudget {
  /** Counts one lookup for the address. @returns false when the address has used up its budget for this minute. */
  take(address: string): boolean
  /** Gives an address that delivered a genuine webhook a larger budget, which no other address can make the server forget. */
  trust: (address: string) => void
}

/** Limits how many unknown key ids each client address can make the server look up, in fixed windows of a minute. */
export const createLookupBudget = (clock: Clock): LookupBudget => {
  const strangers = new LRUCache<string, Window>({ max: rememberedStrangers })
  const senders = new LRUCache<string, Window>({ max: rememberedSenders })
  return {
    take(address) {
      const now = clock.now().getTime()
      const isSender = senders.has(address)
      const windows = isSender ? senders : strangers
      const known = windows.get(address)
      const window = known !== undefined && now - known.startedAt < windowMs ? known : { startedAt: now, lookups: 0 }
      if (window.lookups >= (isSender ? senderLookups : strangerLookups)) return false
      window.lookups += 1
      windows.set(address, window)
      return true
    },
    trust(address) {
      if (senders.has(address)) return
      strangers.delete(address)
      senders.set(address, { startedAt: 0, lookups: 0 })
    }
  }
}
