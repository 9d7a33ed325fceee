import type { Finding } from '../doctor/finding.ts';
import { EXIT, type ExitCode } from '../io/exit.ts';
import { asData, formatOf, isData } from '../output/format.ts';
import { harmless } from '../output/paint.ts';
import type { AddCommand, Run } from './run.ts';
import { ownVersion } from './version.ts';

interface DoctorOptions {
  output?: string;
  registry?: string;
  portRange?: string;
  runtime?: string;
}

const LOOPBACK = /^https?:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|\/|$)/;
const MARKS = { ok: 'ok', warning: 'warn', failed: 'FAIL' } as const;
const COLOURS = { ok: 'green', warning: 'yellow', failed: 'red' } as const;
const CHECK_WIDTH = 14;

export const addDoctor: AddCommand = (program, use) => {
  program
    .command('doctor')
    .description('what is wrong with the host and with what it needs, and what mends it; changes nothing')
    .option('-o, --output <FORM>', 'table, json, yaml')
    .option('--registry <DIR>', 'the registry of a host that does not run; HERSH_REGISTRY without')
    .option('--port-range <A-B>', 'as the host is started with it')
    .option('--runtime <RUNTIME>', 'as the host is started with it: runc or runsc')
    .action(use(doctor));
};

async function doctor(run: Run, { output, ...given }: DoctorOptions): Promise<ExitCode> {
  const format = formatOf(output, ['table', 'json', 'yaml']);
  const host = await run.host();
  const named: Record<string, string | undefined> = {
    '--registry': given.registry,
    '--port-range': given.portRange,
    '--runtime': given.runtime,
  };
  const settings = Object.entries(named).flatMap(([flag, value]) =>
    value === undefined ? [] : [flag, value],
  );
  // Of what it looks with, the engine's client for one, no other command has a use.
  const { examine } = await import('../doctor/doctor.ts');
  const isRemote = host.isTunnel || !LOOPBACK.test(host.base);
  const findings = await examine(run.io, host, { settings, version: ownVersion(), isRemote });
  const count = (status: Finding['status']) => findings.filter((one) => one.status === status).length;
  const [wrong, warnings] = [count('failed'), count('warning')];
  if (isData(format)) run.out(asData({ findings, failed: wrong, warnings }, format));
  else {
    for (const one of findings) run.out(shown(run, one));
    run.say(`${wrong} failed, ${warnings} to know of, ${count('ok')} in order`);
  }
  if (isRemote) run.say('the host is on another machine: only what it tells was looked at');
  return wrong > 0 ? EXIT.failed : EXIT.ok;
}

function shown({ paint }: Run, { check, status, message, mend }: Finding): string {
  const left = `${MARKS[status].padEnd(5)}${check.padEnd(CHECK_WIDTH)} `;
  const lines = harmless(message).trimEnd().split('\n');
  const rest = [...lines.slice(1), ...(status === 'ok' ? [] : [`→ ${harmless(mend)}`])];
  const below = rest.map((line) => `${' '.repeat(left.length)}${line}\n`).join('');
  return `${paint(COLOURS[status], left.slice(0, 5))}${left.slice(5)}${lines[0]}\n${below}`;
}
