import { Command } from 'commander';
import { addApply } from './commands/apply.ts';
import { addBuildLog } from './commands/build-log.ts';
import { addCompletion } from './commands/completion.ts';
import { addContext } from './commands/context.ts';
import { addDelete } from './commands/delete.ts';
import { addDeploy } from './commands/deploy.ts';
import { addDescribe } from './commands/describe.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvents } from './commands/events.ts';
import { addExec } from './commands/exec.ts';
import { addExport } from './commands/export.ts';
import { addGet } from './commands/get.ts';
import { addHistory } from './commands/history.ts';
import { addLogs } from './commands/logs.ts';
import { addOpen } from './commands/open.ts';
import { addPause } from './commands/pause.ts';
import type { AddCommand, Use } from './commands/run.ts';
import { addState } from './commands/state.ts';
import { addToken } from './commands/token.ts';
import { addTop } from './commands/top.ts';
import { addValidate } from './commands/validate.ts';
import { addVersion, ownVersion } from './commands/version.ts';
import { addWait } from './commands/wait.ts';
import { addWatcher } from './commands/watcher.ts';
import { addWishes } from './commands/wishes.ts';
import { DEFAULT_SERVER } from './host/address.ts';
import { EXIT_WORDS } from './io/exit.ts';
import type { Io } from './io/io.ts';

/** In the order in which `--help` has them. */
const COMMANDS: readonly AddCommand[] = [
  ...[addDeploy, addApply, addValidate],
  ...[addLogs, addBuildLog],
  ...[addGet, addDescribe, addEvents, addHistory, addTop],
  ...[addWishes, addPause, addDelete, addWait],
  ...[addState],
  ...[addWatcher, addExec, addOpen],
  ...[addExport, addDoctor, addContext, addToken, addCompletion, addVersion],
];

const EXIT_HELP = EXIT_WORDS.map(([code, words]) => `  ${String(code).padStart(3)}  ${words}`).join('\n');

/** The command line: what there is to type, and what it does. */
export function createProgram(io: Io, use: Use): Command {
  const program = new Command('hershctl');
  program
    .description('Everything that a Hersh Host does, from a terminal or a script.')
    .option('-s, --server <URL>', `the host; HERSH_SERVER, the context in use or ${DEFAULT_SERVER} without`)
    .option('--context <NAME>', 'the host that has that name here, see "context"')
    .version(ownVersion(), '-V, --version', 'of this command alone; "version" asks the host too')
    .option('--no-color', 'no colours; NO_COLOR says the same')
    .helpCommand('help [COMMAND]', 'what a command takes')
    .addHelpText('after', `\nExit codes:\n${EXIT_HELP}`)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => (io.stdout.isTTY ? io.stdout.columns : 100),
      getErrHelpWidth: () => (io.stderr.isTTY ? io.stderr.columns : 100),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  for (const add of COMMANDS) add(program, use);
  return program;
}
