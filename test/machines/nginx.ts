import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cleaner } from '../build-app.ts'
import { listens } from './ports.ts'
import { makeFolder, needProgram, startProgram } from './programs.ts'
import { until } from './waiting.ts'

/**
 * nginx passes a failed request to the next instance when that is safe: when it was not sent yet, when its method changes nothing, or when it
 * carries an idempotency key. A POST without one is sent once.
 */
const configuration = (folder: string, port: number, servers: number[]): string => `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ')}
  upstream atlasforge {
    ${servers.map((server) => `server 127.0.0.1:${server} max_fails=1 fail_timeout=1s;`).join('\n    ')}
    keepalive 32;
  }
  map $http_idempotency_key $repeatable { default 1; '' 0; }
  proxy_http_version 1.1;
  proxy_set_header Connection '';
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_connect_timeout 2s;
  proxy_read_timeout 60s;
  server {
    listen 127.0.0.1:${port};
    error_page 418 = @repeatable;
    location / {
      if ($repeatable) { return 418; }
      proxy_pass http://atlasforge;
      proxy_next_upstream error timeout;
    }
    location @repeatable {
      proxy_pass http://atlasforge;
      proxy_next_upstream error timeout non_idempotent;
    }
  }
}
`

export interface Nginx {
  url: string
  /** Its error log so far. */
  log(): string
}

/** nginx on a loopback port, in front of servers on other ports. */
export const startNginx = async (t: Cleaner, port: number, servers: number[]): Promise<Nginx> => {
  const file = needProgram('nginx', 'nginx')
  const folder = makeFolder(t, 'nginx')
  const path = join(folder, 'nginx.conf')
  writeFileSync(path, configuration(folder, port, servers))
  const program = startProgram(t, file, ['-c', path, '-p', folder, '-e', 'stderr'])
  // The workers exit with nginx on SIGTERM, and would outlive SIGKILL.
  t.teardown(() => program.end('SIGTERM'))
  await until('nginx listens', async () => {
    if (!program.isRunning()) throw new Error(`nginx did not start:\n${program.output()}`)
    return await listens(port)
  })
  return { url: `http://127.0.0.1:${port}`, log: program.output }
}
