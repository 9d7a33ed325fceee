import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** How the quickstart's host is set up: the host's own defaults, unless its environment variables say otherwise. */
export interface HostSettings {
  port: number;
  /** An absolute path. */
  registry: string;
  instance: string;
  url: string;
}

export function hostSettings(): HostSettings {
  const port = Number(process.env.HERSH_PORT ?? 9000);
  const registry = resolve(ROOT, process.env.HERSH_REGISTRY ?? 'registry');
  return {
    port,
    registry: realPath(registry),
    instance: process.env.HERSH_INSTANCE ?? 'default',
    // Not localhost: that may mean ::1, where the host does not listen.
    url: `http://127.0.0.1:${port}`,
  };
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
