import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseManifest } from '../../registry/manifests/manifest.ts';
import { LABELS, type ProgramSpec } from '../../schemas/program.ts';
import { resolveSpec } from '../../schemas/resolve.ts';
import { attemptOf, specHash } from '../../schemas/spec-hash.ts';
import { stableJson } from '../../schemas/stable-json.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import { isCopy, isProgramsOwn } from './copies.ts';
import type { SimContainer } from './engine-world.ts';
import type { SimHost, Step } from './host.ts';
import { openLedgers } from './ledgers.ts';
import { rolledBackOf } from './remembered.ts';
import type { SimStage } from './sim-stage.ts';

/** A probe has told of an answer by then, whatever its period. */
const PROBED_MS = 5_000;
/** What the engine refused may be told so much later: the waits in between double. */
const REFUSED_MS = 300_000;

/** A container as the world saw it; it is remembered when it is gone. */
export interface Seen {
  id: string;
  program: string;
  /** Its labels. */
  hash: string;
  build: string;
  revision: number;
  port: number;
  /** When it first ran, and from when on it has answered without a break; on the clock that does not jump. */
  firstRunMs: number | undefined;
  answersSinceMs: number | undefined;
  /** How its last run ended, of those that left a trace; undefined while it runs, or never ran. */
  end: { asked: boolean; exitCode: number } | undefined;
  /** From when on somebody else ran it, and how it had ended before, while no host has looked since. */
  unseen: { sinceMs: number; end: Seen['end'] } | undefined;
}

/**
 * What really happened: what was written to the files and what the containers did. The controller is judged by it,
 * so nothing of it comes from the controller's memory, and what people were told counts only where it was true.
 */
export interface Witness {
  /** Looks at the files: after a step, what people and calls did to them; after some time, what else did. */
  look(after: 'step' | 'time'): void;
  /** Follows what a host says from now on. */
  follow(host: SimHost): void;
  /** Told of each step of a host. */
  onStep(step: Step): void;
  /**
   * Told that a call asked for fields of the spec: they count where the manifest can not be changed, too.
   * @param inForce the spec that was in force then
   */
  asked(name: string, fields: Partial<ProgramSpec>, inForce: ProgramSpec | undefined): void;
  /** As it stands on the disk. */
  ledger(name: string): ProgramStatus | undefined;
  /** Specs that the manifest once asked for and that such a container is made for; more than one where the difference costs nothing. */
  specsOf(seen: Seen): ProgramSpec[];
  seen(container: SimContainer): Seen;
  /** Containers of a program, in the order they were made, those that are gone among them. */
  all(name: string): Seen[];
  /** The last one that was told to be ready, on the disk, and was: its revision is good. Of this life of the program. */
  good(name: string): Seen | undefined;
  /** Whether a container answered when it was told to be ready, be it that nobody wrote that down. */
  wasReady(seen: Seen): boolean;
  /** Whether that attempt was rolled back, and rightly. */
  isBad(name: string, attempt: string): boolean;
  /** Whether the program was to be stopped at some time since one of its containers started. */
  wasStopped(name: string): boolean;
  /** How often it was refused to build or pull that, for want of a network and otherwise. */
  failures(about: string): { network: number; other: number };
  /** When a host last looked at the program's containers, on the monotonic clock. */
  lookedMs(name: string): number;
  /** Whether a host was killed when it had told an event and not yet written the status that goes with it. */
  isToldAhead(name: string): boolean;
  /** Its ledger was lost: what was learnt of the program goes with it. */
  forget(name: string): void;
}

export function createWitness(stage: SimStage): Witness {
  const { world, clock, root } = stage;
  const containers = new Map<string, Seen>();
  const byProgram = new Map<string, Seen[]>();
  const texts = new Map<string, string>();
  const sources = new Map<string, string>();
  const specs = new Map<string, ProgramSpec[]>();
  /** How many specs have become known. */
  let changes = 0;
  const matches = new Map<string, { of: number; specs: ProgramSpec[] }>();
  const good = new Map<string, { seen: Seen; createdAt: string }>();
  const ready = new Set<string>();
  /** Attempts that were rolled back rightly. */
  const bad = new Map<string, Set<string>>();
  /** The last of them, while neither manifest nor sources have changed since; `kept` once it stands on the disk. */
  const last = new Map<string, { attempt: string; kept: boolean }>();
  const stopped = new Set<string>();
  /** What was asked for since a program was seen to rest by wish; undefined where it does not. */
  const askedSince = new Map<string, ProgramSpec[]>();
  /** The same of those that were started since the last look, and what is to be looked at then. */
  const askedBy = new Map<string, ProgramSpec[]>();
  const doubts: (() => void)[] = [];
  /** Containers that the host asked to end. */
  const asked = new Set<string>();
  /** Programs with an event, and no status after it: of this host, and of the one before. */
  let told = new Set<string>();
  let toldAhead = new Set<string>();
  const looked = new Map<string, number>();
  const refusals = new Map<string, number>();
  const failures = new Map<string, { network: number; other: number }>();
  const ledgers = openLedgers(root);
  const wrong = (message: string) => stage.violations.push(message);

  const { emit } = world;
  world.emit = (container, action) => {
    note(container, action);
    emit(container, action);
  };
  world.refused = (method, about, error) => {
    const reason = (error as { reason?: unknown }).reason;
    if (method === 'createContainer' || method === 'startContainer') {
      if (reason !== 'EngineUnavailable') refusals.set(about, clock.monotonic());
    } else if (reason !== 'BuildAborted' && reason !== 'EngineUnavailable') {
      const { network, other } = failuresOf(about);
      const isNetwork = reason === 'BuildNetworkFailed' || (method === 'pull' && world.networkDown);
      failures.set(about, isNetwork ? { network: network + 1, other } : { network, other: other + 1 });
    }
  };
  const failuresOf = (about: string) => failures.get(about) ?? { network: 0, other: 0 };

  function seenOf(container: SimContainer): Seen {
    const known = containers.get(container.facts.id);
    if (known !== undefined) return known;
    const { id, program, labels, publishPort: port } = container.facts;
    const seen: Seen = {
      ...{ id, program, port, firstRunMs: undefined, answersSinceMs: undefined },
      ...{ end: undefined, unseen: undefined },
      hash: labels[LABELS.specHash] ?? '',
      build: labels[LABELS.build] ?? '',
      revision: Number(labels[LABELS.revision]),
    };
    containers.set(id, seen);
    byProgram.set(program, [...(byProgram.get(program) ?? []), seen]);
    return seen;
  }

  function note(container: SimContainer, action: string): void {
    if (!isProgramsOwn(container)) return;
    const seen = seenOf(container);
    const now = clock.monotonic();
    if (action === 'start') {
      if (!stage.meddling) {
        checkNotBad(seen, container);
        // A wish to stop that is being taken in is not over yet.
        if (specs.get(seen.program)?.at(-1)?.desiredState === 'Running') stopped.delete(seen.program);
      }
      // Whoever started it, it rests no more.
      askedSince.delete(seen.program);
      seen.firstRunMs ??= now;
      if (!isUnseen(seen)) seen.unseen = stage.meddling ? { sinceMs: now, end: seen.end } : undefined;
      seen.end = undefined;
      asked.delete(seen.id);
      seen.answersSinceMs = now + Number(container.env.LISTEN_AFTER_MS ?? 0);
    } else if (action === 'unpause') {
      seen.answersSinceMs = Math.max(now, seen.answersSinceMs ?? 0);
    } else if (action === 'die') {
      seen.end = { asked: asked.has(seen.id), exitCode: container.facts.exitCode };
      seen.answersSinceMs = undefined;
    } else if (action === 'destroy' && isUnseen(seen)) {
      seen.end = seen.unseen?.end;
    }
  }

  const isUnseen = ({ program, unseen }: Seen): boolean =>
    unseen !== undefined && (looked.get(program) ?? Number.NEGATIVE_INFINITY) < unseen.sinceMs;

  /** What was rolled back is not tried again until it is another attempt. */
  function checkNotBad(seen: Seen, { facts }: SimContainer): void {
    const known = last.get(seen.program);
    if (known?.kept !== true || !attemptsOf(seen).has(known.attempt)) return;
    wrong(
      `${facts.name} was started, though revision ${seen.revision} was rolled back and nothing has changed`,
    );
  }

  /** What was stopped by wish comes back as what was asked for since, and not as what was good before. */
  function checkAsked(seen: Seen, { facts }: SimContainer): void {
    const since = askedSince.get(seen.program);
    askedSince.delete(seen.program);
    // What somebody else has started since may be looked after for a while.
    if (since === undefined || stage.meddled.has(seen.id)) return;
    // A call is obeyed before it is looked at what it has written.
    doubts.push(() => {
      if (since.some((spec) => isMadeFor(seen, spec))) return;
      wrong(`${facts.name} was started, though it was stopped by wish and has not been asked for since`);
    });
    askedBy.set(seen.program, since);
  }

  const attemptsOf = (seen: Seen): Set<string> =>
    new Set(
      specsOf(seen).map((spec) => attemptOf(spec, spec.build === null ? (spec.image ?? '') : seen.build)),
    );

  function isMadeFor({ build, port, hash }: Seen, spec: ProgramSpec): boolean {
    if ((spec.build === null) !== (build === '')) return false;
    return specHash(spec, spec.image ?? build, port) === hash;
  }

  function specsOf(seen: Seen): ProgramSpec[] {
    const all = specs.get(seen.program) ?? [];
    const known = matches.get(seen.id);
    if (known?.of === changes) return known.specs;
    const found = all.filter((spec) => isMadeFor(seen, spec));
    matches.set(seen.id, { of: changes, specs: found });
    return found;
  }

  /** Calls that had no answer at the last look: one that has it by now wrote meanwhile. */
  let openBefore = 0;
  function look(after: 'step' | 'time'): void {
    const names = new Set([...manifestNames(), ...texts.keys()]);
    for (const name of names) {
      const text = textOf(join(root, 'programs', `${name}.yaml`));
      if (text !== texts.get(name)) {
        if (after === 'time' && stage.openCalls === 0 && openBefore === 0)
          wrong(`${name}.yaml is not as it was written`);
        last.delete(name);
        if (text === undefined) texts.delete(name);
        else {
          texts.set(name, text);
          learn(name, text);
        }
      }
      lookAtSources(name);
    }
    for (const check of doubts) check();
    doubts.length = 0;
    askedBy.clear();
    openBefore = stage.openCalls;
    for (const name of ledgers.names()) lookAtLedger(name);
  }

  function manifestNames(): string[] {
    try {
      const files = readdirSync(join(root, 'programs'));
      return files.flatMap((file) => /^(\w+)\.yaml$/.exec(file)?.[1] ?? []);
    } catch {
      return [];
    }
  }

  function learn(name: string, text: string): void {
    const { program } = parseManifest(text, `${name}.yaml`, name, { runtime: 'runc' });
    if (program === undefined) return;
    add(name, resolveSpec(program.rawSpec, 'runc'));
  }

  function add(name: string, spec: ProgramSpec): void {
    const known = specs.get(name) ?? [];
    const others = known.filter((one) => stableJson(one) !== stableJson(spec));
    specs.set(name, [...others, spec]);
    if (others.length === known.length) changes += 1;
    if (spec.desiredState === 'Stopped') stopped.add(name);
    else (askedSince.get(name) ?? askedBy.get(name))?.push(spec);
  }

  function lookAtSources(name: string): void {
    const context = specs.get(name)?.at(-1)?.build?.context;
    const text = context === undefined ? undefined : textOf(join(root, context, 'Dockerfile'));
    const now = `${context} ${text}`;
    if (sources.get(name) === now) return;
    sources.set(name, now);
    last.delete(name);
  }

  function lookAtLedger(name: string): void {
    const ledger = ledgers.get(name);
    if (ledger === undefined) return;
    const { createdAt, state, containerId, memory } = ledger;
    if (good.get(name)?.createdAt !== createdAt) good.delete(name);
    const isStopped = specs.get(name)?.at(-1)?.desiredState === 'Stopped';
    const obeyed = state === 'Stopped' && ledger.reason === '';
    // What somebody runs by hand does not rest, whatever a host that is dead has written.
    const runs = [...world.containers.values()].some(
      (one) => one.facts.program === name && one.facts.state === 'running' && !isCopy(one),
    );
    const rests = isStopped && obeyed && !runs;
    if (rests && memory.program.inForce?.spec.desiredState === 'Stopped') askedSince.set(name, []);
    const attempt = rolledBackOf(memory)?.attempt;
    const known = last.get(name);
    if (known !== undefined && known.attempt === attempt) known.kept = true;
    const seen = containers.get(containerId);
    if (state === 'Ready' && seen !== undefined && hasAnswered(seen)) good.set(name, { seen, createdAt });
  }

  /** Where there is no probe, to have run for an instant is enough, and that may be over. */
  function hasAnswered(seen: Seen): boolean {
    const readiness = specsOf(seen).at(-1)?.readiness.kind;
    return answers(seen) || (readiness === 'none' && seen.firstRunMs !== undefined);
  }

  function answers({ id }: Seen): boolean {
    const container = world.containers.get(id);
    if (container?.facts.state !== 'running') return false;
    const spec = specsOf(seenOf(container)).at(-1);
    if (spec?.readiness.kind === 'none') return true;
    return container.listening && Number(container.env.STATUS ?? 200) === 200;
  }

  function onStatus(host: SimHost, name: string): void {
    const status = host.registry.status.get(name);
    if (status === undefined) return;
    const seen = containers.get(status.containerId);
    if (status.state === 'Ready' && seen !== undefined && hasAnswered(seen)) ready.add(seen.id);
    const { inForce } = status.memory.program;
    const rolledBack = rolledBackOf(status.memory);
    if (rolledBack === undefined) {
      last.delete(name);
      return;
    }
    const { attempt, reason, revision } = rolledBack;
    if (bad.get(name)?.has(attempt) === true) return;
    const complaint = doubt(name, attempt, reason, inForce?.spec);
    if (complaint !== '') wrong(`revision ${revision} of ${name} was rolled back, and ${complaint}`);
    bad.set(name, (bad.get(name) ?? new Set()).add(attempt));
    // What the engine refused may be tried again.
    if (reason === 'ProgressDeadlineExceeded') last.set(name, { attempt, kept: false });
  }

  /** Why a revision should not have been rolled back, or `""`. */
  function doubt(name: string, attempt: string, reason: string, spec: ProgramSpec | undefined): string {
    const now = clock.monotonic();
    if (reason === 'StartFailed') {
      const refusedMs = refusals.get(name) ?? Number.NEGATIVE_INFINITY;
      return now - refusedMs > REFUSED_MS ? 'the engine has refused nothing' : '';
    }
    const ofIt = (byProgram.get(name) ?? []).filter((seen) => attemptsOf(seen).has(attempt));
    const first = Math.min(...ofIt.map(({ firstRunMs }) => firstRunMs ?? Number.POSITIVE_INFINITY));
    const deadlineMs = (spec?.progressDeadlineSeconds ?? 0) * 1000;
    // A host that comes later has nothing but the clock that jumps to tell how long a container has run.
    const jumped = stage.jumpedMs !== undefined && stage.jumpedMs >= first;
    if (now - first < deadlineMs && !jumped) return `it had ${now - first} ms of ${deadlineMs}`;
    const answering = ofIt.find((seen) => answers(seen) && now - (seen.answersSinceMs ?? now) > PROBED_MS);
    return answering === undefined ? '' : `it has answered for ${now - (answering.answersSinceMs ?? 0)} ms`;
  }

  return {
    look,
    specsOf,
    seen: seenOf,
    failures: failuresOf,
    ledger: ledgers.get,
    all: (name) => byProgram.get(name) ?? [],
    good: (name) => good.get(name)?.seen,
    wasReady: ({ id }) => ready.has(id),
    isBad: (name, attempt) => bad.get(name)?.has(attempt) === true,
    wasStopped: (name) => stopped.has(name),
    lookedMs: (name) => looked.get(name) ?? Number.NEGATIVE_INFINITY,
    isToldAhead: (name) => toldAhead.has(name),
    asked(name, fields, inForce) {
      const known = specs.get(name) ?? [];
      const was = known.find((spec) => stableJson(spec) === stableJson(inForce)) ?? known.at(-1);
      if (was !== undefined) add(name, { ...was, ...fields });
      last.delete(name);
    },
    follow(host) {
      toldAhead = new Set([...toldAhead, ...told]);
      told = new Set();
      host.registry.status.subscribe((name) => onStatus(host, name));
    },
    onStep({ name, about, moment }) {
      if (name === 'events.append') {
        told.add(about);
        toldAhead.delete(about);
      }
      if (name === 'engine.listContainers' && moment === 'after') looked.set(about, clock.monotonic());
      if (name === 'status.put' && moment === 'after') told.delete(about);
      // The engine may refuse it, whereupon another comes back.
      if (name === 'engine.startContainer' && moment === 'before') {
        const container = [...world.containers.values()].find(({ facts }) => facts.name === about);
        if (container !== undefined) checkAsked(seenOf(container), container);
      }
      if (name !== 'engine.stopContainer' && name !== 'engine.removeContainer') return;
      for (const { facts } of world.containers.values()) if (facts.name === about) asked.add(facts.id);
    },
    forget(name) {
      askedSince.delete(name);
      good.delete(name);
      last.delete(name);
    },
  };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
