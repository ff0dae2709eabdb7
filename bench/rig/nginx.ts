import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BENCH_KEY, CHAT_PATH, freePort, type Contestant } from './contestant.ts'
import { processTree } from './measure.ts'
import { GATEWAY_CORES, launch, listening, pinned, stop } from './processes.ts'

const PROGRAM = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/opt/homebrew/bin/nginx'].find((path) => existsSync(path))

/** nginx as a raw proxy that checks a key in a map of 1,000; undefined where it is not installed. */
export async function startNginx(mockPort: number, scratch: string): Promise<Contestant | undefined> {
  if (PROGRAM === undefined) return undefined
  const port = await freePort()
  const folder = join(scratch, 'nginx')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'nginx.conf'), configuration({ port, mockPort, folder }))
  const child = launch(
    pinned(GATEWAY_CORES, [PROGRAM, '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')]),
  )
  await listening(port, 'nginx')
  return {
    name: 'nginx + key map',
    slow: false,
    target: { port, path: CHAT_PATH, headers: { Authorization: `Bearer ${BENCH_KEY}` } },
    gatewayPids: () => processTree(child.pid ?? 0),
    behindPids: () => [],
    backlog: () => Promise.resolve(0),
    stop: () => stop(child),
  }
}

function configuration({ port, mockPort, folder }: { port: number; mockPort: number; folder: string }): string {
  const others = Array.from({ length: 999 }, (_, i) => `    "Bearer sk-other-${i}" t${i};`).join('\n')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `  ${kind}_temp_path ${folder}/${kind};`)
    .join('\n')
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
worker_rlimit_nofile 20000;
events { worker_connections 16384; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  map_hash_bucket_size 128;
${temporary}
  map $http_authorization $tenant {
    default "";
    "Bearer ${BENCH_KEY}" bench;
${others}
  }
  upstream supplier {
    server 127.0.0.1:${mockPort};
    keepalive 512;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      if ($tenant = "") { return 401; }
      proxy_pass http://supplier;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Tenant $tenant;
      proxy_buffering off;
      proxy_read_timeout 600s;
    }
  }
}
`
}
