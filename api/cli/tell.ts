import { CommanderError } from 'commander';
import { describeProblem, messageOf } from '../../schemas/errors.ts';
import { ApiError } from '../client.ts';
import { isUnknownRoute } from './host/names.ts';
import { CliError, EXIT, type ExitCode, Interrupted } from './io/exit.ts';
import { type Io, isInterrupted } from './io/io.ts';

const COMMANDS: readonly [call: RegExp, command: string][] = [
  [/POST \/programs\/([^/\s]+)\/(start|stop|restart|rollback|pause|resume)\b/g, 'hershctl $2 $1'],
  [/(?:POST )?\/host\/(pause|resume)\b/g, 'hershctl $1'],
  [/GET \/programs\/([^/\s]+)\/revisions\b/g, 'hershctl history $1'],
];
/** More problems are not read at once. */
const PROBLEMS_MAX = 20;

/**
 * Says what ended a command, on stderr, and gives its exit code.
 * @param trouble why the host can not be asked, beyond that it does not answer
 */
export function tell(error: unknown, io: Io, trouble: CliError | undefined): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (io.signal.aborted || error instanceof Interrupted) {
    // Nobody reads on: that is no failure of anybody.
    if (!isInterrupted(io)) return EXIT.ok;
    if (error instanceof Interrupted && error.goesOn !== '') io.stderr.write(`${error.goesOn}\n`);
    return EXIT.interrupted;
  }
  const known = error instanceof ApiError ? ofApi(error, trouble) : error;
  if (known instanceof CliError) {
    io.stderr.write(`error: ${known.message}\n${known.hint === '' ? '' : `${known.hint}\n`}`);
    return known.code;
  }
  const shown = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
  io.stderr.write(`error: a bug of hershctl: ${shown}\n`);
  return EXIT.failed;
}

/** What a host refused, in its words. */
export function ofApi(error: ApiError, trouble?: CliError): CliError {
  const { status, message, hint, details } = error;
  if (status === 0) return trouble ?? new CliError(EXIT.unreachable, message, hint);
  if (isUnknownRoute(error)) {
    const why = `the host is of another version: it has ${message}`;
    return new CliError(EXIT.unreachable, why, 'hershctl version shows both.');
  }
  const shown = details.slice(0, PROBLEMS_MAX).map((problem) => `  ${describeProblem(problem)}`);
  const lines = details.length > 1 || details[0]?.line !== undefined ? shown : [];
  return new CliError(codeOf(error), [message, ...lines].join('\n'), asCommands(hint));
}

/** The host's hints are for those who call its API: here the command is named that does the same. */
function asCommands(hint: string): string {
  return COMMANDS.reduce((text, [call, command]) => text.replace(call, command), hint);
}

function codeOf({ status, message, details }: ApiError): ExitCode {
  if (status === 404) return message === 'program not running' ? EXIT.refused : EXIT.notFound;
  if (status === 400) return details.length > 0 ? EXIT.failed : EXIT.usage;
  return status === 500 ? EXIT.failed : EXIT.refused;
}
