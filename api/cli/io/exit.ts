/** Exit codes, for scripts. Said in `--help` and in docs/hershctl.md. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  notFound: 4,
  refused: 5,
  timedOut: 124,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_WORDS: readonly [ExitCode, string][] = [
  [EXIT.ok, 'done'],
  [
    EXIT.failed,
    'it failed: a build, a program that is not ready, a manifest that is not valid; diff: there are differences; doctor: something is wrong',
  ],
  [EXIT.usage, 'the command line is wrong, or a name that several programs begin with'],
  [EXIT.unreachable, 'the host does not answer, or what answers is none'],
  [EXIT.notFound, 'there is no such program, file or context'],
  [EXIT.refused, 'the host refuses, or can not at present'],
  [EXIT.timedOut, 'what was waited for has not come in time'],
  [EXIT.interrupted, 'ended by Ctrl-C'],
];

/** What ends a command, in words for whoever typed it. */
export class CliError extends Error {
  readonly code: ExitCode;
  /** What to do. */
  readonly hint: string;

  constructor(code: ExitCode, message: string, hint = '') {
    super(message);
    this.name = 'CliError';
    this.code = code;
    this.hint = hint;
  }
}

/** Ctrl-C. @param goesOn what goes on without the command, and how to see it; `""` for nothing */
export class Interrupted extends Error {
  readonly goesOn: string;

  constructor(goesOn = '') {
    super('interrupted');
    this.name = 'Interrupted';
    this.goesOn = goesOn;
  }
}
