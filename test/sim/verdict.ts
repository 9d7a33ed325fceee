import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Registry } from '../../registry/registry.ts';
import { builtFrom } from '../../schemas/build-id.ts';
import { LABELS, type ProgramSpec } from '../../schemas/program.ts';
import { attemptOf, revisionHash, specHash } from '../../schemas/spec-hash.ts';
import { stableJson } from '../../schemas/stable-json.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import { isCopy } from './copies.ts';
import type { SimContainer } from './engine-world.ts';
import { type Fate, fateOf, finishes, isBuildable, isKnownImage } from './random-manifest.ts';
import { rolledBackOf } from './remembered.ts';
import type { SimStage } from './sim-stage.ts';
import { untouched } from './untouched.ts';
import type { Seen } from './witness.ts';

/** Tries of a build that fails for want of a network (contract: states). */
const BUILD_TRIES = 3;

/** One program that should run, and all there is to judge it by. */
export interface Case {
  stage: SimStage;
  registry: Registry;
  status: ProgramStatus;
  /** Whether its manifest is there and says what is in force. */
  isValid: boolean;
  wanted: ProgramSpec;
  /** All of its containers, oldest first. */
  containers: SimContainer[];
}

/**
 * What is wrong with a program that should run and had time to, in words; `""` where all is as it has to be. What
 * can be had is judged by the world: the Dockerfile, what the program does by its environment, who holds the port,
 * and what was seen to answer before.
 */
export async function verdictOn(given: Case): Promise<string> {
  const { status, wanted, stage, registry } = given;
  const complaint = await complaintOf(given);
  if (complaint === '') return '';
  const good = stage.witness.good(status.name);
  const key = await imageKey(registry, wanted);
  const fate = `${fateOf(wanted)}${isBuildableNow(given) ? '' : ' and can not be built'}`;
  const before = good === undefined ? 'nothing was ready before' : `revision ${good.revision} was ready`;
  const is = `${status.state} ${status.reason} ${status.errorMsg}`.trim();
  return `${complaint} (wanted ${key.slice(0, 12)} ${fate}; ${before}); it is ${is}`;
}

async function complaintOf(given: Case): Promise<string> {
  const { stage, registry, status, wanted, containers } = given;
  const { witness } = stage;
  const { name, reason } = status;
  const serving = containers.find(isUp);
  if (serving === undefined && reason === 'Completed') return finishedComplaint(given);
  if (reason === 'PortConflict') return conflictComplaint(given, serving);
  const key = await imageKey(registry, wanted);
  if (key === '' || !isBuildableNow(given) || gaveUp(given, key)) return withoutImage(given, serving, key);
  const attempt = attemptOf(wanted, key);
  const claimed = rolledBackOf(status.memory);
  if (claimed?.nextAt !== undefined) return 'it is to be tried again';
  if (claimed?.attempt === attempt && witness.isBad(name, attempt))
    return goodComplaint(given, serving, ['RolledBack']);
  if (claimed !== undefined) return 'another attempt than the wanted one is held against it';
  const fate = fateOf(wanted);
  if (finishes(wanted)) return 'it ends by itself, is to be left at that, and is not';
  if (fate === 'serves') return servesComplaint(given, serving, key);
  const good = goodBefore(given, key);
  if (fate !== 'flickers' && good !== undefined && isKept(given, good))
    return `it can not become ready, and was not rolled back to revision ${good.revision}`;
  if (fate === 'hangs') return hangsComplaint(given, serving, key);
  return flickersComplaint(given, serving, fate);
}

/** It came to its end, or what came back for it did, and is to be left there. */
async function finishedComplaint({ stage, registry, status, wanted }: Case): Promise<string> {
  const { witness } = stage;
  const isBack = rolledBackOf(status.memory) !== undefined;
  const key = await imageKey(registry, wanted);
  const good = witness.good(status.name);
  // One may have been ready only between two looks at the ledger.
  const wasGood = (seen: Seen) => isBack && (seen === good || witness.wasReady(seen));
  const specs = [wanted, ...witness.all(status.name).filter(wasGood).flatMap(witness.specsOf)];
  const isLeftAt = (seen: Seen, { restartPolicy, liveness, ...spec }: ProgramSpec) => {
    const { end, hash, build, port } = seen;
    const isIt = hash === specHash({ restartPolicy, liveness, ...spec }, spec.image ?? build, port);
    if (end === undefined || !isIt) return false;
    // Other sources are another wish.
    if (!isBack && key !== '' && wanted.build !== null && build !== key) return false;
    // That a host asked for it, which was killed since, there may have been no room to write.
    const isAsked = end.asked && !stage.wasFull;
    // What the host ended for its failing liveness has come to its end as well, and not to a good one.
    if (isAsked && liveness.kind === 'none') return false;
    return restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && end.exitCode === 0 && !isAsked);
  };
  if (status.state !== 'Stopped') return 'it has finished and is not Stopped';
  if (witness.all(status.name).some((seen) => specs.some((spec) => isLeftAt(seen, spec)))) return '';
  return `its restartPolicy is ${wanted.restartPolicy}, and it has not come to such an end`;
}

/** Its port is somebody else's, who really is there. */
function conflictComplaint(given: Case, serving: SimContainer | undefined): string {
  const { stage, status, wanted } = given;
  const good = stage.witness.good(status.name);
  const pinned = [wanted, ...(good === undefined ? [] : stage.witness.specsOf(good))].flatMap(
    ({ publishPort }) => publishPort ?? [],
  );
  // In the host's words, or the engine's.
  const port = Number(/(?:port |127\.0\.0\.1:)(\d+)/.exec(status.errorMsg)?.[1]);
  if (!pinned.includes(port)) return `nobody asked for port ${port}`;
  if (holderOf(given, port) === '') return `nobody else has port ${port}`;
  return goodComplaint(given, serving, ['PortConflict']);
}

/** Who else has the port: a program that serves on it, keeps it or has asked for it, or something else on the machine. */
function holderOf({ stage, registry, status }: Case, port: number): string {
  if (stage.world.foreignPorts.has(port)) return 'something else';
  // Of another program, whose ledger may be lost and whose manifest broken, or of none that is known any more.
  const serving = stage.containers().filter((one) => isUp(one) && one.facts.publishPort === port);
  if (serving.some(({ facts }) => facts.program !== status.name)) return 'a container that serves on it';
  const copies = [...stage.world.containers.values()].filter(isCopy);
  if (copies.some((one) => isUp(one) && one.facts.publishPort === port)) return 'a copy';
  const others = registry.status.names().filter((name) => name !== status.name);
  const has = (name: string) => {
    const status = registry.status.get(name);
    return status?.publishPort === port || status?.memory.program.inForce?.spec.publishPort === port;
  };
  return others.find(has) ?? '';
}

function isBuildableNow({ stage, wanted }: Case): boolean {
  if (wanted.build === null) return isKnownImage(wanted.image ?? '');
  const dockerfile = textOf(stage, `${wanted.build.context}/${wanted.build.dockerfile}`);
  return dockerfile !== undefined && isBuildable(dockerfile);
}

/** It could be had by now, but was not to be had as often as it is tried. */
function gaveUp({ stage, status }: Case, key: string): boolean {
  const { network, other } = stage.witness.failures(key);
  return status.reason === 'BuildFailed' && (network >= BUILD_TRIES || other > 0);
}

/** The wanted image can not be had: what was there goes on serving. */
function withoutImage(given: Case, serving: SimContainer | undefined, key: string): string {
  const { stage, status, wanted } = given;
  // One that was made before it got lost is as good as ever.
  if (serving !== undefined && isExact(given, serving, wanted, key))
    return servesComplaint(given, serving, key);
  // What has come to its end before, and was started by hand since, needs its sources no more.
  if (serving !== undefined && wanted.restartPolicy !== 'Always' && status.reason === '') {
    const made = wanted.image ?? stage.witness.seen(serving).build;
    if (isExact(given, serving, wanted, made)) return servesComplaint(given, serving, made);
  }
  // Which attempt is wanted can not be told without its sources: then it is the one that was last.
  const last = rolledBackOf(status.memory)?.attempt;
  if (key === '' && last !== undefined && stage.witness.isBad(status.name, last))
    return goodComplaint(given, serving, ['RolledBack']);
  const reason = wanted.build === null ? 'ImageNotFound' : 'BuildFailed';
  if (status.reason !== reason) return `its reason should be ${reason}`;
  return goodComplaint(given, serving, [reason]);
}

/** The last revision that was ready has to serve; where there was none, anything goes. */
function goodComplaint(given: Case, serving: SimContainer | undefined, reasons: readonly string[]): string {
  const { stage, status } = given;
  const { witness } = stage;
  const good = witness.good(status.name);
  if (good === undefined) {
    if (serving === undefined || !reasons.includes('RolledBack')) return '';
    const seen = witness.seen(serving);
    if (!witness.wasReady(seen)) return 'what came back was never ready';
    const isSteady = witness.specsOf(seen).every((one) => fateOf(one) === 'serves');
    return isSteady && given.containers.length > 1 ? `${given.containers.length} containers are kept` : '';
  }
  const [spec] = witness.specsOf(good).slice(-1);
  if (spec === undefined) return `nobody asked for what revision ${good.revision} was`;
  if (serving === undefined) return excuse(given, good, spec, reasons);
  const { facts } = serving;
  const { publishPort } = facts;
  const seen = witness.seen(serving);
  // One that a restart is still to replace is the same revision.
  const asMade = { ...spec, restartedAt: facts.labels[LABELS.restartedAt] ?? '' };
  const isGood = [spec, asMade].some(
    (one) => labelOf(serving) === specHash(one, one.image ?? good.build, publishPort),
  );
  // It may have been ready unbeknown to the ledger; or nobody knows what it is, which there was no room to write.
  // One that is not ready is better than none.
  const isBetter = canBeMade(given, good, reasons) && isKept(given, seen);
  if (!isGood && !witness.wasReady(seen) && isBetter)
    return `revision ${seen.revision} serves, which never was ready`;
  if (publishPort !== status.publishPort)
    return `it is published on ${publishPort} and not ${status.publishPort}`;
  const strange = settingsComplaint(given, serving);
  // One that somebody changed is better than none.
  if (strange !== '' && canBeMade(given, good, reasons)) return strange;
  const [served = spec] = witness.specsOf(seen).slice(-1);
  if (fateOf(served) !== 'serves') return '';
  const isOld = !reasons.includes('RolledBack') && isOlderThanRestart(given, serving);
  if (status.state !== (isOld ? 'Running' : 'Ready'))
    return `the good revision ${isOld ? 'is not what a restart was asked for' : 'came back'}, and is ${status.state}`;
  if (given.containers.length > 1) return `${given.containers.length} containers are kept`;
  return reasons.includes(status.reason) ? '' : `its reason should be ${reasons}`;
}

/** Whether a restart was asked for since it began to run, which is told by its not being Ready. */
function isOlderThanRestart({ wanted: { restartedAt } }: Case, { facts }: SimContainer): boolean {
  const isOfIt = (facts.labels[LABELS.restartedAt] ?? '') === restartedAt;
  return restartedAt !== '' && !isOfIt && facts.startedAtMs <= Date.parse(restartedAt);
}

/** Whether its revision is written down, where there was room to. */
function isKept({ stage, status }: Case, { revision }: Seen): boolean {
  return !stage.dataWasFull || textOf(stage, `data/revisions/${status.name}/${revision}.yaml`) !== undefined;
}

/** Why nothing may run though a revision was good: `""` for a reason that is real, or a complaint. */
function excuse(given: Case, good: Seen, spec: ProgramSpec, reasons: readonly string[]): string {
  const { stage, status } = given;
  const { witness } = stage;
  const isBack = reasons.includes('RolledBack');
  // That it was started again since there may have been no room to write.
  const mayRest = stage.wasFull && status.memory.program.rest?.why === 'asked';
  if (!isBack && (mayRest || witness.wasStopped(status.name))) return '';
  // One may have been ready only between two looks at the ledger.
  const isLater = (seen: Seen) => seen.revision > good.revision && witness.wasReady(seen);
  const later = witness.all(status.name).filter(isLater).flatMap(witness.specsOf);
  // Its readiness may have changed since, which makes no other container.
  if ([...witness.specsOf(good), ...later].map(fateOf).includes('flickers')) return '';
  if (spec.publishPort !== null && holderOf(given, spec.publishPort) !== '') return '';
  const { end } = good;
  // What serves until the wanted one can be had is under the policy that is in force.
  const policies = [spec.restartPolicy, ...(isBack ? [] : [given.wanted.restartPolicy])];
  const isLeftAt = policies.some((one) => one === 'Never' || (one === 'OnFailure' && end?.exitCode === 0));
  if (end?.asked === false && isLeftAt) return '';
  if (!isBack && endsOvertaken(given, good)) return '';
  return canBeMade(given, good, reasons) ? `nothing runs though revision ${good.revision} was good` : '';
}

/** Whether one came after the good one, or was made for a restart of it, and has come to an end that the policy in force leaves it at. */
function endsOvertaken({ stage, status, wanted }: Case, good: Seen): boolean {
  const { witness } = stage;
  const last = witness.all(status.name).at(-1);
  if (last?.end === undefined || last.revision < good.revision) return false;
  const { asked, exitCode } = last.end;
  // The host ends what its own liveness finds dead.
  const isOwn = !asked || witness.specsOf(last).some(({ liveness }) => liveness.kind !== 'none');
  const { restartPolicy } = wanted;
  return isOwn && (restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && exitCode === 0 && !asked));
}

/** Whether its image is there, or may be built again of what is kept. */
function canBeMade({ stage }: Case, { build }: Seen, reasons: readonly string[]): boolean {
  const { world, root } = stage;
  const tagged = new Set(world.tags.values());
  const isThere = [...world.images.values()].some(
    ({ id, labels }) => builtFrom(labels) === build && tagged.has(id),
  );
  const isKept = textOf({ root }, `data/contexts/${build}.tar`) !== undefined;
  return build === '' || isThere || (reasons.includes('RolledBack') && isKept);
}

/** The wanted revision has to serve, and to be ready. */
function servesComplaint(given: Case, serving: SimContainer | undefined, key: string): string {
  const { stage, status, wanted, containers, isValid } = given;
  const complaint = exactComplaint(given, serving, key);
  if (complaint !== '') return complaint;
  if (containers.length > 1) return `${containers.length} containers are kept`;
  const name = `hersh-program-${status.name}`;
  // One that is not the program's, and is left alone, may have it.
  const isTaken = [...stage.world.containers.values()].some(
    (one) => one.facts.name === name && !containers.includes(one),
  );
  if (serving?.facts.name !== name && !isTaken) return `its container is ${serving?.facts.name}`;
  if (fateOf(wanted) !== 'serves') return '';
  if (status.state !== 'Ready') return 'it should be Ready';
  return status.reason === '' || !isValid ? '' : 'it is Ready, and should have no reason';
}

function hangsComplaint(given: Case, serving: SimContainer | undefined, key: string): string {
  const { state, reason } = given.status;
  const complaint = exactComplaint(given, serving, key);
  if (complaint !== '') return complaint;
  return state === 'Running' && reason === 'ProgressDeadlineExceeded'
    ? ''
    : 'its time to become ready is over';
}

function flickersComplaint({ status }: Case, serving: SimContainer | undefined, fate: Fate): string {
  const { state, reason } = status;
  const states = ['Error', 'Starting', 'Running', ...(fate === 'flickers' ? ['Ready'] : [])];
  if (!states.includes(state)) return `it can not be ${state}`;
  const reasons = ['', 'CrashLoopBackOff', 'ProgressDeadlineExceeded', 'InvalidManifest'];
  if (!reasons.includes(reason)) return `its reason can not be ${reason}`;
  return serving === undefined || serving.facts.id === status.containerId ? '' : 'another container is shown';
}

/** Whether the container that is wanted runs just as it is wanted. */
function exactComplaint(given: Case, serving: SimContainer | undefined, key: string): string {
  const { status, wanted } = given;
  if (serving === undefined || !isExact(given, serving, wanted, key))
    return 'the wanted container does not run';
  if (serving.facts.state !== 'running') return `its container is ${serving.facts.state}`;
  if (status.containerId !== serving.facts.id) return 'another container is shown';
  return settingsComplaint(given, serving);
}

function isExact({ status }: Case, container: SimContainer, spec: ProgramSpec, key: string): boolean {
  const { publishPort } = status;
  if (spec.publishPort !== null && spec.publishPort !== publishPort) return false;
  return (
    container.facts.publishPort === publishPort && labelOf(container) === specHash(spec, key, publishPort)
  );
}

/** What the container really is, against what it was made for. */
function settingsComplaint({ stage, status }: Case, container: SimContainer): string {
  const [spec] = stage.witness.specsOf(stage.witness.seen(container)).slice(-1);
  if (spec === undefined) return `nobody asked for what ${container.facts.name} is`;
  // A ledger that begins anew takes some of what it finds for what was meant: all where no revision could be written.
  const drifted = stage.drifted.get(container.facts.id);
  const isAnew = drifted !== undefined && drifted !== status.createdAt;
  if (isAnew && stage.wasFull) return '';
  const taken = isAnew ? ['cpusetCpus', 'blkioWeight'] : [];
  const should: Record<string, unknown> = { ...untouched({ ...spec, ...spec.resources }) };
  for (const [setting, is] of Object.entries(container.facts.settings))
    if (!taken.includes(setting) && stableJson(is) !== stableJson(should[setting]))
      return `${setting} of its container is ${stableJson(is)} and not ${stableJson(should[setting])}`;
  const env: Record<string, string> = { ...spec.env, HERSH_PROGRAM_ID: status.name };
  const { BUILD: _, ...without } = container.env;
  return stableJson(without) === stableJson(env) ? '' : `its environment is ${stableJson(without)}`;
}

/** The last revision that was ready, where it is another one than the wanted. */
function goodBefore({ stage, status, wanted }: Case, key: string): Seen | undefined {
  const good = stage.witness.good(status.name);
  if (good === undefined) return undefined;
  const hash = revisionHash(wanted, key);
  const isSame = stage.witness
    .specsOf(good)
    .some((spec) => revisionHash(spec, spec.image ?? good.build) === hash);
  return isSame ? undefined : good;
}

/** What the image is made from; `""` where the sources are not there. */
async function imageKey({ contexts }: Registry, { build, image }: ProgramSpec): Promise<string> {
  if (build === null) return image ?? '';
  return contexts.look(build).then(
    ({ hash }) => hash,
    () => '',
  );
}

const labelOf = ({ facts }: SimContainer): string => facts.labels['dev.hersh.spec-hash'] ?? '';

function isUp({ facts }: SimContainer): boolean {
  return facts.state === 'running' || facts.state === 'paused';
}

function textOf({ root }: Pick<SimStage, 'root'>, path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return undefined;
  }
}
