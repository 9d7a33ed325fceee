import type { TestContext } from 'node:test';
import { gitIn, meanwhile as turnWhile } from '../registry/git/stage.ts';
import { createStage, manifest, type Spec, type Stage } from './stage.ts';

/** All programs are built of one context, so that a branch need not bring sources. */
export const SHARED = { build: { context: 'sources/app' } };

/** `from` is among them, `to` is not. */
export const numbered = (prefix: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => `${prefix}${from + at}`);

/** A stage whose registry is a repository with nothing committed and the shared sources in it. */
export async function startInGit(
  test: TestContext,
): Promise<Stage & { git: (...args: string[]) => Promise<string> }> {
  const stage = await createStage(test);
  const git = (...args: string[]) => gitIn(stage.root, ...args);
  await git('init', '-q', '-b', 'main');
  await stage.write('sources/app/Dockerfile', 'FROM scratch\n');
  return Object.assign(stage, { git });
}

/** Writes their manifests, and commits nothing. */
export async function programs(stage: Stage, names: readonly string[], spec: Spec = {}): Promise<void> {
  for (const name of names)
    await stage.write(`programs/${name}.yaml`, manifest(name, { ...SHARED, ...spec }));
}

/** Turns the clock while git works, as it goes on for a host. */
export const meanwhile = (stage: Stage, work: Promise<unknown>) => turnWhile(stage.clock, work);

/** Turns the clock, with the files at rest, until the promise has settled. */
export async function advanceUntil(stage: Stage, work: Promise<unknown>): Promise<unknown> {
  let settled = false;
  const end = () => {
    settled = true;
  };
  work.then(end, end);
  while (!settled) await stage.host.advance(50);
  return work;
}

/** Which containers the programs have and how those stand, to be compared with later. */
export const ids = (stage: Stage, names: readonly string[]) =>
  names.map((name) =>
    stage
      .containers(name)
      .map(({ facts }) => `${name} ${facts.id} ${facts.state}`)
      .join(),
  );

export const allReady = (stage: Stage, names: readonly string[]) => () =>
  names.every((name) => stage.host.registry.status.get(name)?.state === 'Ready');

export const allGone = (stage: Stage, names: readonly string[]) => () =>
  names.every((name) => stage.host.registry.status.get(name) === undefined);
