import { startUpstream } from './server.ts'

/** The fake supplier as its own process: prints its base URL, runs until it is stopped. Faults are chosen by model name. */
const upstream = await startUpstream({ port: Number(process.argv[2] ?? 0) })
console.log(upstream.url)
