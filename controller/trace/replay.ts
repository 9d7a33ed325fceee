/** `npm run replay -- FILE`: what was decided in each pass that a log or a simulation wrote down, and why. */
import { readFileSync } from 'node:fs';
import { diffSpecs } from '../../schemas/differences.ts';
import { messageOf } from '../../schemas/errors.ts';
import { timestamp } from '../../schemas/program.ts';
import { type Situation, specOf } from '../../schemas/situation.ts';
import { withRoles } from '../program/roles.ts';
import { type Decided, type PassRecord, think } from './pass.ts';

const USAGE = `npm run replay -- FILE [NAME]   the passes in a log written at --log-level trace, of that program only\n`;

const [file, name] = process.argv.slice(2);
process.exitCode = file === undefined ? usage() : replay(file, name);

function usage(): number {
  process.stderr.write(USAGE);
  return 2;
}

/** @returns 0 where the mind came to the same each time */
function replay(path: string, only: string | undefined): number {
  const records = readFileSync(path, 'utf8').split('\n').flatMap(passOf);
  const chosen = records.filter((record) => only === undefined || record.name === only);
  if (chosen.length === 0) {
    process.stderr.write(`${path} holds no pass: a host writes them at --log-level trace\n`);
    return 2;
  }
  const differing = chosen.filter((record) => !told(record));
  process.stdout.write(`${chosen.length} passes, ${differing.length} of them come to something else today\n`);
  return differing.length === 0 ? 0 : 1;
}

/** Of a line of a log, or of a file that holds nothing else. Lines that are no pass are passed over. */
function passOf(line: string): PassRecord[] {
  if (!line.startsWith('{')) return [];
  try {
    const fields = JSON.parse(line) as { pass?: PassRecord };
    return fields.pass === undefined ? [] : [fields.pass];
  } catch {
    // The last line of a host that was killed.
    return [];
  }
}

function told(record: PassRecord): boolean {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(`${record.name} at ${timestamp(record.facts.nowMs)}`);
  try {
    const { wish, situation, ...decided } = think(record);
    for (const problem of wish.problems) say(`  the manifest is wrong: ${problem.message}`);
    for (const line of seen(situation)) say(`  ${line}`);
    for (const line of changes(record.before.memory, decided.status.memory)) say(`  learnt ${line}`);
    for (const line of decided.actions) say(`  does ${line}`);
    const { state, reason, errorMsg } = decided.status;
    say(`  shows ${state}${reason === '' ? '' : ` ${reason}`}${errorMsg === '' ? '' : `: ${errorMsg}`}`);
    const other = differences(record.decided, decided);
    for (const line of other) say(`  DIFFERS ${line}`);
    return other.length === 0;
  } catch (error) {
    say(`  FAILS ${messageOf(error)}`);
    return false;
  }
}

function seen(situation: Situation): string[] {
  const { goal, containers, image, rollback, stopping, portProblem, imageKey, port, probes } = situation;
  const spec = specOf(goal);
  const roles = spec && withRoles(situation, spec);
  const roleOf = (id: string) =>
    id === roles?.current?.id ? 'current' : id === roles?.previous?.id ? 'previous' : 'surplus';
  return [
    `wants ${goal.kind}${spec === undefined ? '' : ` of ${imageKey.replace(/^([0-9a-f]{12})[0-9a-f]{52}$/, '$1') || 'sources not known'} on port ${port}`}`,
    ...(rollback ? [`revision ${rollback.revision} stands in for ${rollback.bad}: ${rollback.message}`] : []),
    ...(portProblem ? [`has no port: ${portProblem.message}`] : []),
    `image ${image.kind}`,
    ...containers.map(({ id, name, state, exitCode }) => {
      const { ready, message = '' } = probes.get(id) ?? {};
      const probe = ready === undefined ? '' : ready ? ', ready' : `, not ready: ${message}`;
      const stop = stopping.has(id) ? ', being stopped' : '';
      const code = state === 'exited' ? ` with ${exitCode}` : '';
      return `sees ${id.slice(0, 12)} ${name} ${state}${code}, ${roleOf(id)}${probe}${stop}`;
    }),
  ];
}

/** `starts.crashes.count: 1 → 2`. */
function changes(before: object, after: object): string[] {
  const words = (value: unknown) => (value === null ? 'nothing' : JSON.stringify(value).slice(0, 200));
  return diffSpecs(before, after, '').map(
    ({ path, from, to }) => `${path.slice(1)}: ${words(from)} → ${words(to)}`,
  );
}

function differences(then: Decided, now: Decided): string[] {
  const plain = ({ actions, status }: Decided) => {
    const { state, reason, errorMsg, memory } = status;
    return { actions: { ...actions }, state, reason, errorMsg, memory };
  };
  return changes(plain(then), plain(now));
}
