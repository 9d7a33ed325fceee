import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openRegistry } from '../../registry/open-registry.ts';
import type { Registry, RegistryOptions } from '../../registry/registry.ts';
import type { Clock } from '../../schemas/clock.ts';
import { resolveSpec } from '../../schemas/resolve.ts';
import { emptyStatus } from '../../schemas/status.ts';
import { createManualClock } from '../sim/manual-clock.ts';
import { tempFolder, writeTree } from './folder.ts';

/** All files have stood still for this long, unless a test says otherwise. */
const LATER_MS = 60_000;

export interface RegistryStage {
  root: string;
  /** Waits turn by hand. What files say of their age is compared with `nowMs`. */
  clock: Clock & { advance(ms: number): Promise<void>; nextAt(): number | undefined; nowMs: () => number };
  warnings: string[];
  path(name: string): string;
  write(files: Record<string, string | Uint8Array>): Promise<void>;
  read(name: string): Promise<string>;
  remove(...names: string[]): Promise<void>;
  /** Opens it as a host does at its start; it closes with the test. Without `watchFiles` nothing gives hints. */
  open(options?: Partial<RegistryOptions>): Promise<Registry>;
}

/** A registry in a folder of its own with these manifests in it. */
export async function createStage(t: TestContext, ...programs: string[]): Promise<RegistryStage> {
  const manual = createManualClock();
  const opened: Registry[] = [];
  const root = await tempFolder(t, async () => {
    for (const registry of opened) await registry.close();
  });
  const clock = { ...manual, nowMs: () => Date.now() + LATER_MS, now: () => clock.nowMs() };
  const stage: RegistryStage = {
    root,
    clock,
    warnings: [],
    path: (name) => join(root, name),
    write: (files) => writeTree(root, files),
    read: (name) => readFile(join(root, name), 'utf8'),
    async remove(...names) {
      for (const name of names) await rm(join(root, name), { recursive: true });
    },
    async open(options = {}) {
      const registry = await openRegistry({
        root,
        policy: { runtime: 'runc' },
        clock,
        onWarning: (fields, message) => stage.warnings.push(`${message} ${JSON.stringify(fields)}`),
        watchFiles: () => ({ refresh: async () => undefined, close: async () => undefined }),
        ...options,
      });
      opened.push(registry);
      return registry;
    },
  };
  await stage.write({ 'programs/': '' });
  for (const name of programs) await stage.write({ [fileOf(name)]: manifest(name) });
  return stage;
}

export const fileOf = (name: string) => `programs/${name}.yaml`;

export function manifest(name: string, spec = ''): string {
  return `apiVersion: hersh.dev/v1\nkind: Program\nmetadata:\n  name: ${name}\nspec:\n  userId: u\n  image: nginx\n${spec}`;
}

/** Programs that the host has: their ledger is written, and says what is in force. */
export async function enlist(registry: Registry, ...names: string[]): Promise<void> {
  const rawSpec = { userId: 'u', image: 'nginx' };
  const inForce = { rawHash: '', rawSpec, spec: resolveSpec(rawSpec, 'runc'), labels: {} };
  for (const name of names) {
    const { memory, ...empty } = emptyStatus(name, 0);
    await registry.status.put({ ...empty, memory: { ...memory, program: { ...memory.program, inForce } } });
  }
}

/** What is wanted of each, in one line. */
export function wantedOf(registry: Registry, ...names: string[]): string {
  return names.map((name) => registry.wanted(name).kind).join(' ');
}
