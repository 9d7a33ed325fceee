import type { Registry } from '../../registry/registry.ts';
import { instancePrefix } from '../engine/owner.ts';

/** Whether the program is deleted, or its manifest is missing and that is about to be believed. */
export function seemsGone(registry: Registry, name: string): boolean {
  const wanted = registry.wanted(name);
  if (wanted.kind !== 'unknown') return wanted.kind === 'gone';
  return wanted.why === undefined && !registry.health().paused.includes(name);
}

/** Programs that lack this image, which could not be made for them. @param key a build hash or a reference */
export function failedOver({ status }: Registry, key: string): string[] {
  return status.names().filter((name) => status.get(name)?.memory.failedImage?.key === key);
}

/** See `EngineMonitorDeps`. What was not looked at yet is taken for the program's. */
export function whyStray({ status, get }: Registry, id: string, program: string): string | undefined {
  const ledger = status.get(program);
  if (ledger === undefined) return get(program) === undefined ? '' : undefined;
  return ledger.memory.program.strangers?.find((one) => one.id === id)?.why;
}

/** `hersh-program-<name>`, with the instance before it where that is not the default one. */
export function containerName(instance: string, name: string): string {
  return `${instancePrefix(instance)}hersh-program-${name}`;
}
