import { REASONS } from '../../../schemas/errors.ts';
import type { ProgramBody, SandboxBody, UsageBody } from '../host/bodies.ts';
import { findPrograms } from '../host/names.ts';
import { ageOf } from '../io/duration.ts';
import { EXIT } from '../io/exit.ts';
import { memory, percent } from '../output/figures.ts';
import { harmless, oneLine, stateColour } from '../output/paint.ts';
import { type Column, table } from '../output/table.ts';
import { conditionColumns, eventColumns, revisionColumns } from './columns.ts';
import { revisionOf } from './program-columns.ts';
import type { AddCommand, Run } from './run.ts';

const EVENTS_SHOWN = 10;
const REVISIONS_SHOWN = 3;
/** Of the output of a run that ended. */
const LINES_SHOWN = 10;
const LABEL = 12;

export const addDescribe: AddCommand = (program, use) => {
  program
    .command('describe')
    .description('all that is known of a program, for people')
    .argument('<NAME...>', 'names, or what only one name begins with')
    .action(use(describe));
};

async function describe(run: Run, names: string[]) {
  const host = await run.host();
  for (const [index, program] of (await findPrograms(host, names)).entries()) {
    const name = program.program_id;
    const [revisions, events, usage, sandbox] = await Promise.all([
      host.client.revisions(name),
      host.client.events(name),
      host.client.usage(name).catch(() => undefined),
      // An engine that is away, and a host of an older version, say nothing of it.
      host.client.sandbox(name).catch(() => undefined),
    ]);
    const { now } = run.io;
    run.out(index === 0 ? '' : '\n');
    run.out(facts(run, program, usage, sandbox));
    run.out(section(run, 'Conditions', conditionColumns(now), program.conditions));
    run.out(section(run, 'Revisions', revisionColumns(now), revisions.slice(-REVISIONS_SHOWN)));
    run.out(section(run, 'Events', eventColumns(false, now), events.slice(-EVENTS_SHOWN)));
  }
  return EXIT.ok;
}

function section<T>({ io, paint }: Run, title: string, columns: Column<T>[], rows: readonly T[]): string {
  if (rows.length === 0) return `${title}: none\n`;
  const indented = { ...io.stdout, isTTY: io.stdout.isTTY, columns: io.stdout.columns - 2 };
  return `${title}:\n${indent(table(columns, rows, { out: indented, paint }), '  ')}`;
}

function facts(run: Run, program: ProgramBody, usage?: UsageBody, sandbox?: SandboxBody): string {
  const { now } = run.io;
  const ago = (time: string) => (time === '' ? '' : `${time} (${ageOf(time, now())} ago)`);
  const lines: [label: string, text: string][] = [
    ['Name', program.program_id],
    ['User', program.user_id],
    ['State', run.paint(stateColour(program.state), program.state)],
    ['Paused', pausedOf(program, now())],
    ['Reason', reasonOf(program)],
    ['Not ready', program.not_ready === null ? '' : oneLine(program.not_ready.message)],
    ['URL', program.proxy_url],
    ['Revision', `${revisionOf(program)}${program.commit ? `, commit ${program.commit.slice(0, 12)}` : ''}`],
    ['Build', program.build_id],
    ['Image', program.image_id],
    ['Container', program.container_id.slice(0, 12)],
    ['Sandbox', sandboxOf(sandbox, now())],
    ['Created', ago(program.created_at)],
    ['Started', ago(program.started_at)],
    ['Ready', ago(program.ready_at)],
    ['Restarts', `${program.restart_count}, ${program.restarts_last_hour} of them in the last hour`],
    ['Next try', program.next_try_at],
    ['Limits', limitsOf(program)],
    ['Usage', usageOf(usage)],
    ['Last exit', lastExitOf(program, now())],
  ];
  const shown = lines.filter(([, text]) => text !== '');
  const text = shown.map(([label, value]) => `${`${label}:`.padEnd(LABEL)}${hang(value)}\n`).join('');
  return `${text}${tailOf(program)}`;
}

/** The host's word, what it means, and what it says of this case. */
function reasonOf({ reason, error_msg: message }: ProgramBody): string {
  if (reason === '') return oneLine(message);
  const means = Object.hasOwn(REASONS, reason) ? REASONS[reason as keyof typeof REASONS].means : '';
  return [reason, means, harmless(message).trimEnd()].filter((part) => part !== '').join('\n');
}

function pausedOf({ paused, program_id: name }: ProgramBody, nowMs: number): string {
  // A host of an older version says nothing of it.
  if (!paused) return '';
  const { by, since, why, of } = paused;
  const who = by === '' ? '' : ` by ${oneLine(by)}`;
  const what = why === '' ? '' : `: ${oneLine(why)}`;
  const end = of === 'host' ? 'hershctl resume' : `hershctl resume ${name}`;
  return `${of === 'host' ? 'with the whole host' : 'since'} ${since} (${ageOf(since, nowMs)} ago)${who}${what}\n"${end}" ends it`;
}

function sandboxOf(sandbox: SandboxBody | undefined, nowMs: number): string {
  const { sandbox_id: id, created_at: since, address } = sandbox ?? {};
  if (!id || !since) return '';
  const where = address ? `, at ${oneLine(address)}` : ', on no network';
  return `${oneLine(id).slice(0, 12)} since ${since} (${ageOf(since, nowMs)} ago)${where}`;
}

function limitsOf({ limits }: ProgramBody): string {
  if (limits === null) return '';
  return `${memory(limits.memory_bytes)} of memory, ${limits.cpus} CPUs, ${limits.pids} processes`;
}

function usageOf(usage: UsageBody | undefined): string {
  if (usage === undefined) return '';
  const { cpu, memory_bytes: bytes, memory_limit_bytes: limit, reason } = usage;
  if (cpu === null && bytes === null) return reason === '' ? '' : `not known: ${oneLine(reason)}`;
  const of = bytes !== null && limit !== null ? ` (${percent(bytes / limit)} of its limit)` : '';
  const parts = [
    cpu === null ? '' : `${percent(cpu)} of a CPU`,
    bytes === null ? '' : `${memory(bytes)}${of}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function lastExitOf({ last_exit: exit }: ProgramBody, nowMs: number): string {
  return exit === null ? '' : `${oneLine(exit.message)}, ${ageOf(exit.finished_at, nowMs)} ago`;
}

function tailOf({ last_exit: exit }: ProgramBody): string {
  const lines = harmless(exit?.log_tail ?? '')
    .trimEnd()
    .split('\n')
    .slice(-LINES_SHOWN);
  return lines.join('') === '' ? '' : `Its last lines:\n${indent(`${lines.join('\n')}\n`, '  ')}`;
}

function hang(text: string): string {
  return text.split('\n').join(`\n${' '.repeat(LABEL)}`);
}

function indent(text: string, by: string): string {
  return text.replace(/^(?=.)/gm, by);
}
