import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LABELS } from '../../schemas/program.ts';
import { revisionHash } from '../../schemas/spec-hash.ts';
import { rolledBackOf } from './remembered.ts';
import type { SimStage } from './sim-stage.ts';

/** How many revisions are kept of a program (issue 3, point 7; issue 9, point 40). */
const KEPT = 10;

/** A revision as it stands on the disk. */
interface Kept {
  hash: string;
  /** What it was built from; `""` where an image was named. */
  build: string;
  outcome: string;
}

export interface History {
  check(): void;
  /** Told that the host is about to remove an image. */
  onRemoval(imageId: string): void;
}

/**
 * Watches `data/revisions/`: a number means one thing for ever; ten stay as long as their program does, the ways back
 * among them, and what never ran goes first; and what was once ready, or rolled back, is said to have been.
 */
export function watchHistory(stage: SimStage): History {
  const { root, witness, violations } = stage;
  /** All that was ever seen of each program, by number. */
  const seen = new Map<string, Map<number, Kept>>();
  /** What was kept of each at the check before. */
  const keptBefore = new Map<string, ReadonlyMap<number, Kept>>();
  /** Of what was built, what was once kept. */
  const snapshots = new Set<string>();
  const read = createReader();
  const wrong = (message: string) => violations.push(message);

  /** What could not be written. */
  const isExcused = () => stage.wasFull || stage.dataWasFull;

  function check(): void {
    for (const name of new Set([...foldersIn(join(root, 'data', 'revisions')), ...seen.keys()]))
      checkKept(name);
    for (const { facts } of stage.containers()) checkContainer(facts.id);
  }

  function checkKept(name: string): void {
    const kept = read(join(root, 'data', 'revisions', name));
    const known = seen.get(name) ?? new Map<number, Kept>();
    const isAlive = stage.host?.registry.status.get(name) !== undefined;
    // It goes with its program, in the end.
    if (kept.size === 0 && !isAlive) {
      seen.delete(name);
      keptBefore.delete(name);
      return;
    }
    for (const [number, { hash, build, outcome }] of kept) {
      const before = known.get(number);
      if (before !== undefined && before.hash !== hash)
        wrong(`revision ${number} of ${name} was another before`);
      // One that is wanted again may be bad by then.
      const wentBad = rolledBackOf(witness.ledger(name)?.memory)?.revision === number;
      if (before?.outcome === 'Ready' && outcome !== 'Ready' && !wentBad)
        wrong(`revision ${number} of ${name} was ready, and now is said to be ${outcome}`);
      known.set(number, { hash, build, outcome });
    }
    seen.set(name, known);
    if (isAlive) checkLost(name, keptBefore.get(name) ?? new Map(), kept);
    keptBefore.set(name, kept);
    checkOutcomes(name, kept);
    if (isAlive) checkSources(name, kept);
  }

  /** None goes without need, nor one that is a way back, nor another before what was known to have never run. */
  function checkLost(name: string, before: ReadonlyMap<number, Kept>, now: ReadonlyMap<number, Kept>): void {
    const lost = [...before.keys()].filter((number) => !now.has(number));
    if (lost.length === 0) return;
    if (now.size < KEPT) wrong(`revisions ${lost} of ${name} are gone, and ${now.size} are left`);
    const all = [...before, ...now].sort(([a], [b]) => a - b);
    const ready = all.filter(([number, one]) => (now.get(number) ?? one).outcome === 'Ready');
    const last = ready.at(-1);
    const other = ready.findLast(([, { hash }]) => hash !== last?.[1].hash);
    for (const wayBack of [last, other])
      if (wayBack && !now.has(wayBack[0])) wrong(`revision ${wayBack[0]} of ${name}, a way back, is gone`);
    const ran = lost.filter((number) => before.get(number)?.outcome !== 'Superseded');
    const idle = [...now].find(([number, { outcome }]) => {
      return (
        outcome === 'Superseded' && before.get(number)?.outcome === outcome && number !== all.at(-1)?.[0]
      );
    });
    if (ran.length > 0 && idle) wrong(`revisions ${ran} of ${name} went before ${idle[0]}, which never ran`);
  }

  /** What could be rolled back to is kept. */
  function checkSources(name: string, kept: ReadonlyMap<number, Kept>): void {
    for (const [number, { build }] of kept) {
      const path = join(root, 'data', 'contexts', `${build}.tar`);
      if (build === '') continue;
      if (existsSync(path)) snapshots.add(build);
      else if (snapshots.has(build)) wrong(`the sources of revision ${number} of ${name} are gone`);
    }
  }

  function onRemoval(imageId: string): void {
    const build = stage.world.images.get(imageId)?.labels[LABELS.build];
    for (const name of stage.host?.registry.status.names() ?? []) {
      for (const [number, kept] of read(join(root, 'data', 'revisions', name)))
        if (kept.build === build) wrong(`the image of revision ${number} of ${name} was collected`);
    }
  }

  /** The status is written after the revision. */
  function checkOutcomes(name: string, kept: ReadonlyMap<number, Kept>): void {
    const ledger = witness.ledger(name);
    if (ledger === undefined || isExcused() || stage.damaged.has(name)) return;
    const { state, currentRevision, memory } = ledger;
    const told = kept.get(currentRevision)?.outcome;
    const rolledBack = rolledBackOf(memory);
    // What was rolled back may answer, too late, before the good one takes over.
    const isLate = rolledBack?.revision === currentRevision;
    if (state === 'Ready' && told !== 'Ready' && !isLate)
      wrong(`revision ${currentRevision} of ${name} is ready, and said to be ${told ?? 'nothing'}`);
    const bad = rolledBack && kept.get(rolledBack.revision)?.outcome;
    if (rolledBack !== undefined && bad !== 'Failed')
      wrong(
        `revision ${rolledBack.revision} of ${name} was rolled back, and is said to be ${bad ?? 'nothing'}`,
      );
  }

  /** It is of the revision that its label tells. */
  function checkContainer(id: string): void {
    const container = stage.world.containers.get(id);
    if (container === undefined || isExcused()) return;
    const one = witness.seen(container);
    const kept = seen.get(one.program)?.get(one.revision);
    const hashes = witness.specsOf(one).map((spec) => revisionHash(spec, spec.image ?? one.build));
    if (hashes.length === 0) wrong(`nobody asked for what ${container.facts.name} is`);
    else if (kept === undefined || !hashes.includes(kept.hash))
      wrong(`${container.facts.name} is not of revision ${container.facts.labels[LABELS.revision]}`);
  }

  return { check, onRemoval };
}

/** Files are read again where they changed. */
function createReader(): (folder: string) => Map<number, Kept> {
  const known = new Map<string, { key: string; kept: Kept }>();
  return (folder) => {
    const found = new Map<number, Kept>();
    for (const file of foldersIn(folder)) {
      const number = Number(/^(\d+)\.yaml$/.exec(file)?.[1]);
      if (Number.isNaN(number)) continue;
      const path = join(folder, file);
      const { ino, size, mtimeMs } = statSync(path);
      const key = `${ino} ${size} ${mtimeMs}`;
      const before = known.get(path);
      const kept = before?.key === key ? before.kept : parse(readFileSync(path, 'utf8'));
      known.set(path, { key, kept });
      found.set(number, kept);
    }
    return found;
  };
}

function parse(text: string): Kept {
  return {
    hash: /^ {2}hash: "?(\w+)"?$/m.exec(text)?.[1] ?? '',
    build: /^ {2}buildHash: "?(\w*)"?$/m.exec(text)?.[1] ?? '',
    outcome: /^ {2}outcome: (\w+)$/m.exec(text)?.[1] ?? '',
  };
}

function foldersIn(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}
