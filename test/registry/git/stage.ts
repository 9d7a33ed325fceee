import { execFile, execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import type { Remote } from '../../../registry/git/follow.ts';
import { openGit } from '../../../registry/git/git.ts';
import { openRegistry } from '../../../registry/open-registry.ts';
import type { Registry } from '../../../registry/registry.ts';
import { resolveSpec } from '../../../schemas/resolve.ts';
import { emptyStatus } from '../../../schemas/status.ts';
import { createManualClock, type ManualClock, settle } from '../../sim/manual-clock.ts';
import { filesAtRest } from '../../sim/pace.ts';

const exec = promisify(execFile);

/** Whoever works with git by hand in these tests; no configuration of the machine counts. */
/** Time that passes while git is at work, at most, in milliseconds of the stage's clock. */
const MEANWHILE_MS_MAX = 2_000;

export const SOMEBODY = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))),
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'Somebody',
  GIT_AUTHOR_EMAIL: 'somebody@example.invalid',
  GIT_COMMITTER_NAME: 'Somebody',
  GIT_COMMITTER_EMAIL: 'somebody@example.invalid',
  LC_ALL: 'C',
};

/** A registry in a folder of its own, with a clock turned by hand, and git beside it as people use it. */
export interface GitStage {
  root: string;
  clock: ManualClock;
  /** What the host warned of. */
  warnings: string[];
  /** Runs git in the work tree, as somebody at a terminal. Gives its output, trimmed; rejects when it fails. */
  git(...args: string[]): Promise<string>;
  write(path: string, content: string | Uint8Array): Promise<void>;
  read(path: string): Promise<string>;
  /** Adds and commits all there is. Gives the commit. */
  commitAll(message: string): Promise<string>;
  /** Opens the registry as the host does at its start. It closes with the test. */
  open(remote?: Remote): Promise<Registry>;
  /** Lets so many milliseconds pass, and with them what they bring. */
  pass(ms: number): Promise<void>;
  /** Lets time pass until that is so; rejects when it takes longer than `limitMs`, which is what the issue allows. */
  until(condition: () => boolean, limitMs?: number): Promise<void>;
  /** Turns the clock until the promise has settled. */
  turning<T>(promise: Promise<T>): Promise<T>;
  /** The same while git works, as time passes outside of tests, so that looks fall into the middle of it. */
  meanwhile<T>(work: Promise<T>): Promise<T>;
}

export async function createGitStage(test: TestContext, options: { init?: boolean } = {}): Promise<GitStage> {
  const root = await mkdtemp(join(tmpdir(), 'hersh-git-'));
  const clock = createManualClock();
  const warnings: string[] = [];
  const opened: Registry[] = [];
  test.after(async () => {
    for (const registry of opened) await stage.turning(registry.close());
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  });
  const git = (...args: string[]) => gitIn(root, ...args);
  if (options.init !== false) await git('init', '-q', '-b', 'main');

  const stage: GitStage = {
    ...{ root, clock, warnings, git },
    async write(path, content) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    },
    read: (path) => readFile(join(root, path), 'utf8'),
    async commitAll(message) {
      await git('add', '-A');
      await git('commit', '-q', '-m', message);
      return git('rev-parse', 'HEAD');
    },
    async open(remote) {
      const onWarning = (fields: object, message: string) =>
        warnings.push(`${message} ${JSON.stringify(fields)}`);
      const told: string[] = [];
      const onUnused = (why: string) => told.push(why);
      const handle = await stage.turning(openGit({ root, clock, onWarning, onUnused, remote }));
      const registry = await openRegistry({
        root,
        git: handle,
        warnings: told,
        policy: { runtime: 'runc' },
        clock,
        onWarning,
      });
      opened.push(registry);
      return registry;
    },
    pass: (ms) => stage.turning(new Promise<void>((resolve) => clock.after(ms, resolve))),
    async until(condition, limitMs = 2_000) {
      const limit = clock.monotonic() + limitMs;
      while (!condition()) {
        if (clock.monotonic() > limit) throw new Error(`it did not come about within ${limitMs} ms`);
        await filesAtRest();
        await clock.advance(25);
      }
    },
    async turning(promise) {
      let settled = false;
      const done = () => {
        settled = true;
      };
      promise.then(done, done);
      while (!settled) {
        // No tick while git or the disk is at work, so that a slow machine gives the same results.
        await filesAtRest();
        if (!settled) await clock.advance(25);
      }
      return promise;
    },
    meanwhile: (work) => meanwhile(clock, work),
  };
  return stage;
}

/**
 * Lets as much time pass as git takes: any faster, and it would be taken for one that hangs. On a busy machine less,
 * for the same reason: git's lock is waited for 5 s.
 */
export async function meanwhile<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let done = false;
  const end = () => {
    done = true;
  };
  work.then(end, end);
  let leftMs = MEANWHILE_MS_MAX;
  for (let atMs = performance.now(); !done; ) {
    await settle();
    const beforeMs = atMs;
    atMs = performance.now();
    const passedMs = Math.min(atMs - beforeMs, leftMs);
    leftMs -= passedMs;
    await clock.advance(passedMs);
  }
  return work;
}

export async function gitIn(folder: string, ...args: string[]): Promise<string> {
  const { stdout } = await exec('git', ['-C', folder, ...args], { env: SOMEBODY, maxBuffer: 2 ** 26 });
  return stdout.trim();
}

export function hasGit(): boolean {
  try {
    execFileSync('git', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A manifest of an image, so that no sources are needed. */
export function imageManifest(name: string, spec: Record<string, unknown> = {}): string {
  return stringify({
    apiVersion: 'hersh.dev/v1',
    kind: 'Program',
    metadata: { name },
    spec: { userId: 'ann', image: 'hersh/test', ...spec },
  });
}

/** What a `POST` brings. */
export function brought(text = 'FROM scratch\n', more: Record<string, string> = {}) {
  return {
    userId: 'ann',
    buildId: 'build-0123456789ab',
    files: new Map([['Dockerfile', text], ...Object.entries(more)]),
  };
}

/** The ledger of a program that runs, as far as the registry looks at it. */
export async function enlist(
  registry: Registry,
  name: string,
  rawSpec: Record<string, unknown> = { userId: 'ann', image: 'hersh/test' },
): Promise<void> {
  const empty = emptyStatus(name, 0);
  await registry.status.put({
    ...empty,
    observedRevision: registry.commitOf(name, undefined),
    userId: 'ann',
    memory: {
      ...empty.memory,
      program: {
        ...empty.memory.program,
        inForce: { rawHash: '', rawSpec, spec: resolveSpec(rawSpec, 'runc'), labels: {} },
      },
    },
  });
}
