import { GATEWAY_PROCESS, LIVE_GATEWAYS, Snapshot } from '#contract'
import type { Log } from '#platform/log'

const ASK_AGAIN_MS = 500
/** The control plane holds a request for up to 25 s when there is nothing new. */
const ASK_TIMEOUT_MS = 40_000

/**
 * Follows the control plane's snapshot for ever: `changed` is called with each new version. While the control plane is away the
 * gateway goes on with the last one. A version that `changed` throws on is asked for again. `process` names this gateway among others
 * that ask; `peersChanged` is told how many there are, within the half minute that a question may take.
 */
export async function followSnapshots(options: {
  readonly controlUrl: string
  readonly token: string
  readonly log: Log
  readonly signal: AbortSignal
  readonly process: string
  readonly changed: (snapshot: Snapshot) => void
  readonly peersChanged: (gateways: number) => void
}): Promise<void> {
  const { controlUrl, token, log, signal, changed, peersChanged } = options
  let version = -1
  let peers = 1
  let isAway = false
  while (!signal.aborted) {
    try {
      const response = await fetch(`${controlUrl}/internal/v1/snapshot${version < 0 ? '' : `?after=${version}`}`, {
        headers: { authorization: `Bearer ${token}`, [GATEWAY_PROCESS]: options.process },
        signal: AbortSignal.any([signal, AbortSignal.timeout(ASK_TIMEOUT_MS)]),
      })
      if (response.status === 200) {
        const snapshot = Snapshot.parse(await response.json())
        changed(snapshot)
        // Only now: what could not be applied has to be asked for again.
        version = snapshot.version
      } else if (response.status !== 204) throw new Error(`control plane answered ${response.status}`)
      const gateways = Number(response.headers.get(LIVE_GATEWAYS) ?? 1)
      if (gateways !== peers && Number.isInteger(gateways) && gateways > 0) {
        peers = gateways
        peersChanged(gateways)
      }
      if (isAway) log.info({ version }, 'snapshots are followed again')
      isAway = false
    } catch (error) {
      if (signal.aborted) return
      if (!isAway) log.warn({ err: error }, 'no snapshot could be fetched and applied; serving from the last one')
      isAway = true
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
    }
  }
}
