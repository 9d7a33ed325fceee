// Serves the files of site/ on 8080. They are read once, at the start: what is not among them can not be asked for.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

const ROOT = new URL('site', import.meta.url).pathname;
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const files = new Map();
for (const entry of readdirSync(ROOT, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = join(entry.parentPath ?? entry.path, entry.name);
  const file = { type: TYPES[extname(path)] ?? 'application/octet-stream', body: readFileSync(path) };
  files.set(path.slice(ROOT.length), file);
  if (entry.name === 'index.html') files.set(path.slice(ROOT.length, -'index.html'.length), file);
}

createServer((request, response) => {
  const file = files.get(request.url?.split('?', 1)[0]);
  if (request.method !== 'GET' && request.method !== 'HEAD') return response.writeHead(405).end();
  if (!file) return response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
  response.writeHead(200, { 'content-type': file.type, 'content-length': file.body.length });
  response.end(request.method === 'HEAD' ? undefined : file.body);
}).listen(8080, () => console.log(`serving ${files.size} paths on 8080`));

for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
