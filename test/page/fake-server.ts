import { join } from 'node:path';
import { createApi } from '../../api/app.ts';
import type { AccessSource } from '../../api/deps.ts';
import type { ProgramView } from '../../api/program-answers.ts';
import { type RunningServer, startServer } from '../../api/server.ts';
import { type FakeHost, fakeHost } from '../api/fakes.ts';
import { ROOT } from '../setup/host-settings.ts';
import { FakeLog } from './fake-log.ts';

/** The built page on the real routes, over programs that are made up: states that are slow or dear to bring about. */
export interface FakeServer {
  host: FakeHost;
  /** Without a slash at its end. */
  url: string;
  /** Of a program; made when first asked for. */
  logOf(name: string): FakeLog;
  /** Ends all streams and answers nobody, until `open`. */
  shut(): Promise<void>;
  open(): Promise<void>;
}

/** @param access left out, nobody is asked for a token */
export async function startFakeServer(
  views: readonly ProgramView[],
  access?: AccessSource,
): Promise<FakeServer> {
  const sorted = [...views].sort((a, b) => (a.name < b.name ? -1 : 1));
  const host = fakeHost(sorted);
  host.deps.access = access;
  const logs = new Map<string, FakeLog>();
  const logOf = (name: string): FakeLog => {
    let log = logs.get(name);
    if (log === undefined) {
      log = new FakeLog(String(logs.size + 1).padStart(12, '0'), Date.now() - 60_000);
      logs.set(name, log);
    }
    return log;
  };
  Object.assign(host.deps, {
    now: Date.now,
    logPage: async (name: string, request: Parameters<typeof host.deps.logPage>[1]) =>
      logOf(name).page(request),
    followLines: async (name: string, request: Parameters<typeof host.deps.logPage>[1]) =>
      logOf(name).follow(request),
  });
  const { deps } = host;
  const app = createApi(deps, { pageFolder: join(ROOT, 'api', 'ui', 'dist') });
  let server: RunningServer | undefined;
  let port = 0;
  const open = async () => {
    server = await startServer({ app, deps, host: '127.0.0.1', port, closeMsMax: 0 });
    port = server.port;
  };
  await open();
  return {
    ...{ host, logOf, open },
    url: `http://127.0.0.1:${port}`,
    async shut() {
      await server?.close();
      server = undefined;
    },
  };
}
