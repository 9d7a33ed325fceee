import assert from 'node:assert/strict';
import { type HostPolicy, validateManifest } from '../../schemas/validate.ts';

export const RUNC: HostPolicy = { runtime: 'runc' };
export const RUNSC: HostPolicy = { runtime: 'runsc' };

export type Tree = Record<string, unknown>;

/** A valid manifest of the program `x`, with the given fields in or over it. */
export function manifest(spec: Tree = {}, metadata: Tree = {}, rest: Tree = {}): Tree {
  const base = 'build' in spec ? { userId: 'u' } : { userId: 'u', image: 'nginx' };
  return {
    apiVersion: 'hersh.dev/v1',
    kind: 'Program',
    metadata: { name: 'x', ...metadata },
    spec: { ...base, ...spec },
    ...rest,
  };
}

export function messages(value: unknown, policy: HostPolicy = RUNC, stem = 'x'): string[] {
  return validateManifest(value, stem, policy).problems.map(({ message }) => message);
}

/** Fails unless that is all that is said. */
export function refuses(value: unknown, want: string, policy: HostPolicy = RUNC): void {
  assert.deepEqual(messages(value, policy), [want]);
}

export function accepts(value: unknown, policy: HostPolicy = RUNC): void {
  assert.deepEqual(messages(value, policy), []);
}
