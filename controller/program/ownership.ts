import { type Container, hashOf, revisionOf, type Stranger, short } from '../../schemas/container.ts';
import type { Facts, SettingsAsMade } from '../../schemas/facts.ts';
import { isSameData } from '../../schemas/is-same-data.ts';
import { type OfContainer, type ProgramMemory, withProgram } from '../../schemas/memory.ts';
import { environmentOf, LABELS, type ProgramSpec, timestamp } from '../../schemas/program.ts';
import { keyOf, type Revision } from '../../schemas/revision.ts';
import { specHash } from '../../schemas/spec-hash.ts';
import { stableJson } from '../../schemas/stable-json.ts';

/**
 * Which of the containers that bear a program's labels are its own. Labels travel with whatever is made of a
 * container, so they prove nothing: the ids of what a host made are noted. Where none is noted (an older host made
 * them, the ledger was lost, a host was killed between the making and the noting), one counts that has what can not be
 * changed of a container: the security that every one is made with, and what its own revision asks for. Where that is
 * nowhere to be had (both were lost, or the disk was full), what every container has is enough: two of one program must
 * never run beside each other. What can be changed, and was, is drift of one that counts.
 */

/** What tells of a container whose id is not noted. */
export interface Papers {
  /** As it is kept under the number that the container bears. */
  revision?: Revision;
  /** Of the container's image. */
  imageLabels?: Readonly<Record<string, string>>;
}

/** Whether its papers have to be looked at. */
export function isInDoubt({ program, containers }: ProgramMemory, one: Container): boolean {
  if (containers[one.id]?.made === true) return false;
  const { making, newest, madeAt = [] } = program;
  if (making === undefined || (making !== '' && making === hashOf(one))) return true;
  // A ledger that could not be written, or was put back, is behind: no copy is of what it does not know.
  const at = one.labels[LABELS.madeAt] ?? '';
  return revisionOf(one) > (newest?.number ?? 0) || (at !== '' && !madeAt.includes(at));
}

/** So many are known, for copies of what is long gone. */
const MADE_AT_MAX = 10;

/** `LABELS.madeAt` of the container that is made now: no two have the same, whatever the clock does. */
export function nextMadeAt({ program: { madeAt = [] } }: ProgramMemory, nowMs: number): string {
  let ms = nowMs;
  while (madeAt.includes(timestamp(ms))) ms++;
  return timestamp(ms);
}

/** What `OfProgram.madeAt` is with these. */
export function withMadeAt({ madeAt = [] }: ProgramMemory['program'], ...more: string[]): readonly string[] {
  const news = more.filter((at) => at !== '' && !madeAt.includes(at));
  return news.length === 0 ? madeAt : [...madeAt, ...news].slice(-MADE_AT_MAX);
}

/**
 * @param containers the oldest first, @param papers by id, of those that are in doubt
 * @returns as `Facts` has them
 */
export function toldApart(
  memory: ProgramMemory,
  containers: readonly Container[],
  papers: Readonly<Record<string, Papers>>,
): { own: Container[]; strangers: Stranger[]; adopted: Record<string, SettingsAsMade> } {
  const own: Container[] = [];
  const strangers: Stranger[] = [];
  const adopted: Record<string, SettingsAsMade> = {};
  for (const one of containers) {
    const isNoted = memory.containers[one.id]?.made === true;
    const known = papers[one.id];
    const spec = isNoted ? undefined : specIn(memory, one, known?.revision);
    const why = isNoted ? '' : whyStrange(memory, one, own, spec, known);
    const { id, name, program, state, servedPort, labels } = one;
    if (why !== '') strangers.push({ id, name, program, state, servedPort, labels, why });
    else own.push(one);
    if (why === '' && !isNoted) adopted[id] = settingsAsMade(one, spec);
  }
  return { own, strangers, adopted };
}

/** @param older those of the program's own that were made before it */
function whyStrange(
  memory: ProgramMemory,
  one: Container,
  older: readonly Container[],
  spec?: ProgramSpec,
  papers: Papers = {},
): string {
  const loosened = one.loosened.join(', ');
  if (!isInDoubt(memory, one)) return `no host made it${loosened === '' ? '' : ` (${loosened})`}`;
  const at = one.labels[LABELS.madeAt];
  const isCopy = at !== undefined && older.some(({ labels }) => labels[LABELS.madeAt] === at);
  if (isCopy) return 'it is a copy of another';
  if (loosened !== '') return loosened;
  const number = revisionOf(one);
  const isKnown = papers.revision !== undefined || memory.rollout.good?.revision === number;
  if (spec === undefined && isKnown) return `it was not made for revision ${number}, whose number it bears`;
  const others = spec === undefined ? '' : differences(memory, one, spec).join(', ');
  if (others !== '') return others;
  // One that was built, or pulled, bears no program's name: that comes of `docker commit`.
  return papers.imageLabels?.[LABELS.program] ? 'its image was made of a container' : '';
}

/** What it was made for, of all that is known: its own revision, the good one, what is in force. */
function specIn({ program, rollout }: ProgramMemory, one: Container, revision?: Revision) {
  const { inForce } = program;
  const { good } = rollout;
  const known: [ProgramSpec, string][] = [
    ...(revision ? [[revision.spec, keyOf(revision)] as [ProgramSpec, string]] : []),
    ...(good?.revision === revisionOf(one) ? [[good.spec, good.imageKey] as [ProgramSpec, string]] : []),
    ...(inForce
      ? [[inForce.spec, inForce.spec.image ?? one.labels[LABELS.build] ?? ''] as [ProgramSpec, string]]
      : []),
  ];
  return known
    .map(([spec, key]) => [asMade(spec, one), key] as const)
    .find((its) => isMadeOf(one, ...its))?.[0];
}

/** The spec as the container was made for it: a restart is the same revision. */
export function asMade(spec: ProgramSpec, { labels }: Container): ProgramSpec {
  return { ...spec, restartedAt: labels[LABELS.restartedAt] ?? spec.restartedAt };
}

/** Whether the container's label, and the port it is published on, are those of the spec. */
export function isMadeOf(one: Container, spec: ProgramSpec, imageKey: string): boolean {
  return specHash(spec, imageKey, one.publishPort) === hashOf(one);
}

/**
 * How it is otherwise than a host makes it for that spec, in words, of what nobody can change of a container that is
 * made. Its limits, restart policy and networks anybody can: they tell nothing of who made it.
 */
function differences({ containers }: ProgramMemory, one: Container, spec: ProgramSpec): string[] {
  // What was changed since an older host saw it run is drift, and dealt with as such.
  const has: Container['settings'] = { ...one.settings, ...containers[one.id]?.settings };
  const environment = Object.entries(environmentOf(spec, one.program));
  const keys = environment.flatMap(([key, value]) => (one.env[key] === value ? [] : key));
  const isSame = (words: readonly string[], wanted: readonly string[] = []) => isSameData(words, wanted);
  const checks: [boolean, string][] = [
    // Where neither is given, what it runs is the image's own, which is not known here.
    [
      spec.command === undefined || isSame(has.command, spec.command),
      `its command is ${stableJson(has.command)}`,
    ],
    [
      (spec.command ?? spec.args) === undefined || isSame(has.args, spec.args),
      `its args are ${stableJson(has.args)}`,
    ],
    [one.runtime === spec.runtime, `its runtime is ${one.runtime}`],
    [keys.length === 0, `its environment differs in ${keys.join(' and ')}`],
  ];
  return checks.flatMap(([isSo, words]) => (isSo ? [] : words));
}

/** Of what can be changed of it, all that a host is known to have made it with: what is otherwise now is drift. */
function settingsAsMade({ settings }: Container, spec?: ProgramSpec): SettingsAsMade {
  const { memoryBytes, cpus, pids } = spec?.resources ?? settings;
  // An engine that does not count swap says -1.
  const memorySwapBytes = settings.memorySwapBytes === -1 ? -1 : memoryBytes;
  // In the whole billionths that engines are told.
  const given = { memoryBytes, memorySwapBytes, cpus: Math.round(cpus * 1e9) / 1e9, pids };
  return { ...given, restartPolicy: 'no', networks: [settings.network] };
}

/** The memory of those that are there, each noted as the program's own. What is no more has nothing to be remembered. */
export function noted(
  memory: ProgramMemory,
  { containers, strangers, adopted = {} }: Pick<Facts, 'containers' | 'strangers' | 'adopted'>,
): ProgramMemory {
  const { strangers: _, making, ...program } = memory.program;
  const madeAt = withMadeAt(program, ...containers.map(({ labels }) => labels[LABELS.madeAt] ?? ''));
  const isFound = containers.some((one) => hashOf(one) === making && !memory.containers[one.id]?.made);
  const isBegun = making === undefined && containers.length > 0;
  const hasState = program.volume !== undefined && containers.length > 0;
  const own = containers.map(({ id }): [string, OfContainer] => {
    const before = memory.containers[id];
    const asMade = adopted[id];
    // What an older host saw is what the engine made of it.
    const settings = asMade && { ...asMade, ...before?.settings };
    return [id, { ...before, ...(settings && { settings }), made: true }];
  });
  return withProgram(
    { ...memory, program, containers: Object.fromEntries(own) },
    {
      ...(isFound || isBegun ? { making: '' } : making !== undefined && { making }),
      ...(hasState && { hasState }),
      ...(madeAt.length > 0 && { madeAt }),
      ...(strangers.length > 0 && { strangers: strangers.map(({ id, name, why }) => ({ id, name, why })) }),
    },
  );
}

/** For people, of one that was not there at the last look. */
export function describeStranger({ id, name, why }: Pick<Stranger, 'id' | 'name' | 'why'>): string {
  return `container ${short(id)} (${name}) bears this program's labels and is not its own: ${why}; it is left alone, and POST /registry/prune removes it`;
}
