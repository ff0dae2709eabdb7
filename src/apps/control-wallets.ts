import type { Wallets } from '#catalogue'
import type { Charging } from '#charging'

/** What applying a factory file may do to wallets. */
export function walletsOf(charging: Charging): Wallets {
  return {
    lock: charging.lockForTopups,
    topUp: async (tx, topup) => ({ created: (await charging.topupIn(tx, topup)).booked }),
  }
}
