// Preloaded into a peer that would listen on every interface: in the benchmark it shall be reachable from this machine only.
// Plain JavaScript, because the peer may run on an older Node than we do.
import { Server } from 'node:net'

const listen = Server.prototype.listen
Server.prototype.listen = function (...args) {
  const [first] = args
  const port = typeof first === 'object' && first !== null ? Number(first.port) : Number(first)
  if (Number.isNaN(port)) return listen.apply(this, args)
  const done = args.find((arg) => typeof arg === 'function')
  return listen.apply(this, [{ port, host: '127.0.0.1' }, ...(done === undefined ? [] : [done])])
}
