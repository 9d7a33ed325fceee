import type { Health } from '../api/deps.ts';
import type { RemoteTrouble } from '../registry/git/follow.ts';
import type { Pauses } from '../registry/records/pauses.ts';
import type { RegistryHealth } from '../registry/registry.ts';
import type { HostWarning } from '../schemas/host-view.ts';
import { describePause } from '../schemas/pause.ts';
import { timestamp } from '../schemas/program.ts';
import type { EngineHealth } from './loop/engine-monitor.ts';
import type { HostTrouble } from './notify/host-watch.ts';

/** An engine that is only restarted is back by then; a registry that is away, and a remote, stop nothing that runs. */
const ENGINE_TOLD_AFTER_MS = 30_000;
const FILES_TOLD_AFTER_MS = 300_000;

const AWAY = 'EngineUnavailable';

/**
 * Whether the host can do its work, and what else people have to know. Pure.
 * @param damaged names whose status can not be read, and why
 */
export function healthOf(
  registry: RegistryHealth,
  damaged: ReadonlyMap<string, string>,
  engine: EngineHealth,
  pauses?: Pick<Pauses, 'host' | 'named'>,
): Health {
  const warnings = warningsOf(registry, damaged, engine, undefined, pauses)
    // An engine that is away is why it is not ready, and no warning beside that.
    .filter(({ code }) => code !== AWAY)
    .map(({ message }) => message);
  const unready = (reason: string, message: string): Health => ({ ready: false, reason, message, warnings });
  if (engine.trouble !== '') return unready(AWAY, describeEngine(engine.trouble));
  if (!registry.scanned) return unready('RegistryUnavailable', registry.message || 'not scanned yet');
  if (!engine.listed) return unready(AWAY, 'the engine was not listed yet');
  return { ready: true, reason: '', message: '', warnings };
}

/** The same, with what others have to say. Pure. */
export function withWarnings(health: Health, more: readonly HostWarning[]): Health {
  return { ...health, warnings: [...health.warnings, ...more.map(({ message }) => message)] };
}

/**
 * What people have to know of the host. Pure.
 * @param damaged see `healthOf`
 * @param remote why the remote is not followed, where that is so
 * @param pauses what is left alone
 */
export function warningsOf(
  registry: RegistryHealth,
  damaged: ReadonlyMap<string, string>,
  engine: EngineHealth,
  remote?: RemoteTrouble,
  pauses?: Pick<Pauses, 'host' | 'named'>,
): HostWarning[] {
  return [
    ...warningsOfAbsence(engine),
    ...(pauses === undefined ? [] : warningsOfPauses(pauses)),
    ...registry.warnings.map((message) => warningOf(message, registry, remote)),
    ...warningsOfRegistry(registry),
    ...[...damaged].map(([name, why]) => ({
      ...{ code: 'StatusDamaged', names: [name], confirm: '' as const },
      message: `status/${name}.yaml is damaged: ${why}`,
    })),
    ...warningsOfEngine(engine),
  ];
}

const PLAIN = { names: [], confirm: '' } as const;

function* warningsOfPauses({ host, named }: Pick<Pauses, 'host' | 'named'>): Generator<HostWarning> {
  const all = host();
  if (all !== undefined) {
    const message = `${describePause(all, 'the host is paused')}; nothing is done about any program until POST /host/resume`;
    yield { ...PLAIN, code: 'Paused', message, since: all.since };
  }
  for (const [name, pause] of named()) {
    const message = `program ${name} is ${describePause(pause)}; nothing is done about it until POST /programs/${name}/resume`;
    yield { code: 'Paused', message, names: [name], confirm: '', since: pause.since };
  }
}

/** What kind of thing the registry says there, and of whom. */
function warningOf(
  message: string,
  { unwritable, moved }: RegistryHealth,
  remote: RemoteTrouble | undefined,
): HostWarning {
  const names = moved.filter((one) => one.message === message).map(({ name }) => name);
  if (names.length > 0) return { ...PLAIN, code: 'ManifestMoved', message, names };
  if (unwritable.includes(message)) return { ...PLAIN, code: 'FolderNotWritable', message };
  const isRemote = remote !== undefined && message.includes(remote.message);
  return { ...PLAIN, code: isRemote ? remote.reason : 'RegistryNotice', message };
}

function* warningsOfRegistry({ message, paused, moved }: RegistryHealth): Generator<HostWarning> {
  if (message !== '')
    yield { ...PLAIN, code: 'RegistryUnavailable', message: `${message}; everything keeps running` };
  if (paused.length === 0) return;
  // All that the confirmation lets go, and not only what it was asked for.
  const names = [...new Set([...paused, ...moved.map(({ name }) => name)])].sort();
  const more = names.filter((name) => !paused.includes(name));
  const along = more.length === 0 ? '' : `, which also lets go what was only moved: ${more.join(', ')}`;
  yield { code: 'PrunePaused', message: `${describeMissing(paused)}${along}`, names, confirm: 'programs' };
}

function describeMissing(paused: readonly string[]): string {
  return `${paused.length} manifests are gone at once (${paused.join(', ')}): their programs keep running until the files return or POST /registry/prune confirms`;
}

/** What of that somebody should be told without asking, and how long it may last before. Pure. */
export function troublesOf(
  { message, paused, unwritable }: Pick<RegistryHealth, 'message' | 'paused' | 'unwritable'>,
  remote: RemoteTrouble | undefined,
  { trouble }: Pick<EngineHealth, 'trouble'>,
): HostTrouble[] {
  const troubles: HostTrouble[] = [];
  const tell = (kind: string, afterMs: number, reason: string, message: string) =>
    troubles.push({ kind, reason, message, afterMs });
  if (trouble !== '') tell('engine', ENGINE_TOLD_AFTER_MS, AWAY, describeEngine(trouble));
  if (paused.length > 0) tell('pruning', 0, 'PrunePaused', describeMissing(paused));
  const files = [message, ...unwritable].filter((words) => words !== '');
  if (files.length > 0) tell('files', FILES_TOLD_AFTER_MS, 'RegistryUnavailable', files.join('; '));
  if (remote !== undefined)
    tell('remote', FILES_TOLD_AFTER_MS, remote.reason, `the remote is not followed: ${remote.message}`);
  return troubles;
}

function* warningsOfAbsence({ trouble, awaySinceMs }: EngineHealth): Generator<HostWarning> {
  if (trouble === '') return;
  const message = `${describeEngine(trouble)}; what runs goes on running, and states are the last known`;
  yield { ...PLAIN, code: AWAY, message, since: timestamp(awaySinceMs) };
}

function describeEngine(trouble: string): string {
  return `the engine does not answer: ${trouble}`;
}

function* warningsOfEngine({ strays }: EngineHealth): Generator<HostWarning> {
  const named = ({ name }: { name: string }) => name;
  const names = strays.filter(({ why }) => why === '').map(named);
  const told = 'POST /registry/prune removes';
  if (names.length > 0) {
    const message = `containers that belong to no program: ${names.join(', ')}; ${told} them`;
    yield { code: 'StrayContainers', message, names, confirm: 'strays' };
  }
  for (const { name, program, why } of strays.filter((one) => one.why !== '')) {
    const message = `container ${name} bears the labels of ${program} and is not its own: ${why}; ${told} it`;
    yield { code: 'StrangeContainer', message, names: [name], confirm: 'strays' };
  }
}
