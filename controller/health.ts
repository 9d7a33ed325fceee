import type { Health } from '../api/deps.ts';
import type { RegistryHealth } from '../registry/registry.ts';
import type { EngineHealth } from './loop/engine-monitor.ts';

/**
 * Whether the host can do its work, and what else people have to know. Pure.
 * @param damaged names whose status can not be read, and why
 */
export function healthOf(
  registry: RegistryHealth,
  damaged: ReadonlyMap<string, string>,
  engine: EngineHealth,
): Health {
  const warnings = [
    ...registry.warnings,
    ...warningsOfRegistry(registry),
    ...[...damaged].map(([name, why]) => `status/${name}.yaml is damaged: ${why}`),
    ...warningsOfEngine(engine),
  ];
  const unready = (reason: string, message: string): Health => ({ ready: false, reason, message, warnings });
  if (engine.trouble !== '')
    return unready('EngineUnavailable', `the engine does not answer: ${engine.trouble}`);
  if (!registry.scanned) return unready('RegistryUnavailable', registry.message || 'not scanned yet');
  if (!engine.listed) return unready('EngineUnavailable', 'the engine was not listed yet');
  return { ready: true, reason: '', message: '', warnings };
}

function* warningsOfRegistry({ message, paused }: RegistryHealth): Generator<string> {
  if (message !== '') yield `${message}; everything keeps running`;
  if (paused.length > 0)
    yield `${paused.length} manifests are gone at once (${paused.join(', ')}): their programs keep running until the files return or POST /registry/prune confirms`;
}

function* warningsOfEngine({ strays }: EngineHealth): Generator<string> {
  const named = ({ name }: { name: string }) => name;
  const names = strays.filter(({ why }) => why === '').map(named);
  if (names.length > 0)
    yield `containers that belong to no program: ${names.join(', ')}; POST /registry/prune removes them`;
  for (const { name, program, why } of strays.filter((one) => one.why !== ''))
    yield `container ${name} bears the labels of ${program} and is not its own: ${why}; POST /registry/prune removes it`;
}
