import type { Container } from '../../schemas/container.ts';
import type { StateFacts } from '../../schemas/facts.ts';
import { type ProgramMemory, withProgram } from '../../schemas/memory.ts';
import type { StateVolume } from '../../schemas/situation.ts';
import { digest } from '../../schemas/spec-hash.ts';
import { ownerOf, STATE_FROM, type TrashedVolume } from '../../schemas/trashed-volume.ts';

/** Which volume is a program's `/state`: its own, or that of a program which is gone, where it asks for that. */

/** One that appears as another of its user and its sources goes, within this, is that one renamed. */
export const RENAME_MS_MAX = 10 * 60_000;
/** One that was there this long beside the other is another program of the same sources. */
export const BESIDE_MS_MAX = 60_000;

const INSTEAD = `take the annotation ${STATE_FROM} out to begin with an empty /state`;

/** Ends each name of a volume of ours: its user, and a number where the plain name was another's by then. */
const USER = /-([0-9a-f]{8})(?:-\d+)?$/;

export interface Asking {
  name: string;
  userId: string;
  /** See `sourcesOf`. */
  sources: string;
  /** The program whose `/state` it asks for. */
  from: string | undefined;
  nowMs: number;
}

/**
 * What the first container of a program gets. Pure. A claim that was written down comes first, then what is asked for,
 * then what was its own before it was deleted, then a new one, under a name that nobody else's data has.
 */
export function stateVolume(asking: Asking, facts: StateFacts): StateVolume {
  const { name, userId, from } = asking;
  const { plain, held } = facts;
  const last = lastRecords(facts.trashed);
  const free = [...last.values()].filter((one) => one.userId === userId && held[one.volume] === undefined);
  const claimed = free.findLast(({ takenBy }) => takenBy === name);
  if (claimed !== undefined) return { kind: 'taken', volume: claimed.volume, from: claimed.name };
  const own = free.findLast((one) => ownerOf(one) === name);
  if (from !== undefined && from !== name) {
    const theirs = free.findLast((one) => ownerOf(one) === from);
    if (theirs !== undefined && facts.from === 'gone') return { kind: 'taken', volume: theirs.volume, from };
    if (own === undefined) return refusal(from, asking, facts);
  }
  if (own !== undefined) return { kind: 'own', volume: own.volume };
  const names = [plain, ...[...last.keys(), ...Object.keys(held)].map((_, index) => `${plain}-${index + 2}`)];
  const volume = names.find((one) => held[one] === undefined && !last.has(one)) ?? plain;
  const renamed = free.findLast((one) => one.takenBy === undefined && isRenamed(one, asking));
  return { kind: 'own', volume, ...(renamed && { renamedFrom: renamed.name }) };
}

/** The newest record of each volume, oldest first. */
function lastRecords(trashed: readonly TrashedVolume[]): Map<string, TrashedVolume> {
  const last = new Map<string, TrashedVolume>();
  for (const one of trashed) {
    last.delete(one.volume);
    last.set(one.volume, one);
  }
  return last;
}

function isRenamed({ sources = '', deletedAt }: TrashedVolume, asking: Asking): boolean {
  const agoMs = asking.nowMs - Date.parse(deletedAt);
  return sources !== '' && sources === asking.sources && agoMs >= 0 && agoMs <= RENAME_MS_MAX;
}

function refusal(from: string, { userId }: Asking, facts: StateFacts): StateVolume {
  if (facts.from === 'leaving')
    return {
      kind: 'refused',
      isPassing: true,
      message: `it waits for the /state of ${from}, which is not gone yet`,
    };
  const refused = (why: string): StateVolume => {
    return { kind: 'refused', isPassing: false, message: `the /state of ${from} is not taken over: ${why}` };
  };
  if (facts.from === 'present') return refused(`that program is there; delete it first, or ${INSTEAD}`);
  const records = facts.trashed.filter((one) => ownerOf(one) === from || one.name === from);
  const theirs = records.filter((one) => one.userId === userId);
  const by = theirs.findLast(({ takenBy }) => takenBy !== undefined)?.takenBy;
  if (by !== undefined) return refused(`program ${by} has it; ${INSTEAD}`);
  if (theirs.length === 0 && records.length > 0) return refused(`it is another user's; ${INSTEAD}`);
  return refused(`there is none in the trash, where it stays for seven days; ${INSTEAD}`);
}

/** What a program with a `/state` of its own asks for in vain is noted, to be told once. */
export function withStateAsked(memory: ProgramMemory): ProgramMemory {
  const { volume, inForce, stateFrom } = memory.program;
  const from = inForce?.stateFrom;
  if (volume === undefined || from === undefined || from === stateFrom?.name) return memory;
  // One that it took over before it was deleted, and has again.
  const taken = volume.replace(USER, '').endsWith(`hersh-state-${from}`);
  return withProgram(memory, { stateFrom: { name: from, taken } });
}

/** What a lost ledger said of the volume is made good from the container that has it, where it is that user's. */
export function withMounted(
  memory: ProgramMemory,
  containers: readonly Container[],
  userId: string,
): ProgramMemory {
  const isTheirs = (volume: string) => USER.exec(volume)?.[1] === digest(userId).slice(0, 8);
  const volume = containers.map((one) => one.stateVolume).findLast(isTheirs);
  return volume === undefined || memory.program.volume !== undefined
    ? memory
    : withProgram(memory, { volume });
}

/** Why what is asked for is not taken over, to be told when that is noted; `""` otherwise. */
export function stateNews(before: ProgramMemory, after: ProgramMemory): string {
  const { stateFrom } = after.program;
  if (stateFrom === undefined || stateFrom.taken || stateFrom.name === before.program.stateFrom?.name)
    return '';
  return `the /state of ${stateFrom.name} is not taken over: this program has one already. ${wayOf(stateFrom.name)}`;
}

/** For the program that was renamed, and the one it was. */
export function renamedWords(from: string, to: string): { of: string; old: string } {
  const stays = `stays in the trash under the name ${from} for seven days`;
  return {
    of: `it has the user and the sources of ${from}, which was deleted just now; the /state of that ${stays}. ${wayOf(from)}`,
    old: `program ${to} has its user and its sources; /state ${stays}`,
  };
}

const wayOf = (from: string): string =>
  `To have that, delete this program and bring it back with metadata.annotations: {${STATE_FROM}: ${from}}; what it has now goes to the trash`;
