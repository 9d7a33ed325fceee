// Counts, and keeps its count in /state, where it outlives crashes, restarts and new images.
import { createServer } from 'node:http';
import { CountStore } from './count-store.mjs';

const PORT = 8080;
const BODY_BYTES_MAX = 64 * 1024;

const startedAt = Date.now();
const store = new CountStore('/state/count.json');

const routes = {
  // The WatcherAPI, as every Hersh program serves it. The host takes 2xx here for "ready".
  'GET /watcher/status': () => [
    200,
    {
      state: 'Ready',
      isRunning: true,
      watcherID: process.env.HERSH_PROGRAM_ID ?? 'counter',
      uptime: duration(Date.now() - startedAt),
      lastUpdate: store.updatedAt,
    },
  ],
  'POST /watcher/message': (body) => {
    const content = parse(body)?.content;
    if (typeof content !== 'string') return [400, { error: 'a JSON body with "content" is required' }];
    console.log(`message: ${content} (the count is ${store.count})`);
    return [200, { status: 'message sent' }];
  },

  'GET /count': () => [200, { count: store.count }],
  'POST /count': () => {
    const count = store.increment();
    console.log(`count: ${count}`);
    return [200, { count }];
  },

  // Ends as a bug would, so that one can watch the host bring it back.
  'POST /crash': () => {
    console.error('crash: asked for');
    setImmediate(() => process.exit(1));
    return [202, { status: 'crashing' }];
  },
};

const server = createServer(async (request, response) => {
  const path = request.url?.split('?', 1)[0];
  const route = routes[`${request.method} ${path}`];
  let [code, answer] = [404, { error: `no such route: ${request.method} ${path}` }];
  try {
    if (route) [code, answer] = route(await read(request));
  } catch (error) {
    console.error(error);
    [code, answer] = [error.httpStatus ?? 500, { error: error.message }];
  }
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(answer)}\n`);
});

server.listen(PORT, () => console.log(`counter listens on ${PORT}; the count is ${store.count}`));

// As the first process of a container we get no default handling: without this, a stop takes its whole grace period.
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    console.log(`${signal}: stopping at ${store.count}`);
    process.exit(0);
  });
}

async function read(request) {
  const pieces = [];
  let bytes = 0;
  for await (const piece of request) {
    bytes += piece.length;
    if (bytes > BODY_BYTES_MAX) throw Object.assign(new Error('the body is too large'), { httpStatus: 413 });
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// As Go prints durations, which is what Hersh programs answer: 5m30s.
function duration(ms) {
  const seconds = Math.floor(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${h ? `${h}h` : ''}${h || m ? `${m}m` : ''}${s}s`;
}
