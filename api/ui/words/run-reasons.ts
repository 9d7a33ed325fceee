import type { ProgramBody } from '../../routes/view.ts';
import { engineSaid, firstLine, probeSaid, said } from './brief.ts';
import { pausedSaid } from './paused.ts';
import type { ReasonWords, ToDo } from './reason-words.ts';
import { exactSpan, mebi, msOf } from './span.ts';
import type { Words } from './words.ts';

/** What is wrong with something that runs, or ran. */
export const RUN_REASONS: Record<string, ReasonWords> = {
  CrashLoopBackOff: {
    title: 'Keeps exiting',
    brief: crashBrief,
    says: (p) =>
      `It ${isOutOfMemory(p) ? 'runs out of memory' : `keeps exiting: ${exitOf(p)}`}${times(p, ' in a row')}`,
    more: (p) => (isOutOfMemory(p) ? `The kernel ended it at its limit of ${limit(p)}.` : lastRun(p)),
    next: (p) => [...again(p, 'Started again '), 'The waits double, up to 60 s.'],
    todo: (p) => (isOutOfMemory(p) ? OUT_OF_MEMORY : crashToDo(p)),
    acts: (p) =>
      // What exits by itself does so again: to start it at once helps only who has mended something outside.
      isOutOfMemory(p) || p.revision <= 1
        ? ['toManifest', 'stop', 'startNow']
        : ['rollBack', 'toManifest', 'stop', 'startNow'],
    look: 'logs',
    means:
      'It ends soon after its start, again and again. The host starts it again after waits that double up to 60 s, and forgets the count after 10 minutes of running.',
    fix: 'Read what it printed last. Mend the program, or stop it. Start tries at once.',
  },
  ProgressDeadlineExceeded: {
    title: 'Not ready',
    brief: (p) => `Runs, not ready: ${probeSaid(probeSays(p))}`,
    says: () => 'It runs, but was not ready in time',
    more: (p) => ['The probe gets: ', { mono: probeSays(p) }, '. There is no good revision to go back to.'],
    next: () => 'The probe goes on asking; if it answers, the program is Ready.',
    todo: () => [
      [
        'Does it listen on 8080',
        [', on all addresses? ', { mono: '127.0.0.1' }, ' inside the container is not enough.'],
      ],
      [
        'Does readiness name the right path?',
        [
          ' See ',
          { mono: 'spec.readiness' },
          ' in the manifest; ',
          { mono: 'tcp: true' },
          ' asks for the port alone.',
        ],
      ],
    ],
    acts: () => ['toManifest', 'restart', 'stop'],
    look: 'logs',
    means:
      'The program runs, but its readiness probe did not succeed in time, and there is no good revision to go back to.',
    fix: 'Does it listen on 8080, on all addresses? Does readiness name the right path?',
  },
  Unready: {
    title: 'Probe fails',
    brief: (p) => `Probe fails: ${probeSaid(probeSays(p))}`,
    says: () => 'It was ready and no longer answers its readiness probe',
    more: (p) => ['The probe gets: ', { mono: probeSays(p) }, '.'],
    next: () =>
      'If the probe answers again, it is Ready. Nothing restarts it unless it has a liveness probe that fails.',
    todo: () => [
      ['Look at what it does', ': logs, and CPU in the timeline below.'],
      ['Restart it', ' if it hangs; its /state stays.'],
      ['Give it more', [' in ', { mono: 'spec.resources' }, ' if it is only slow.']],
    ],
    acts: () => ['restart', 'stop'],
    look: 'logs',
    means: 'It was ready, and its readiness probe fails now.',
    fix: 'Look at its logs. Without a liveness probe nothing restarts it.',
  },
  StartFailed: {
    title: 'Will not start',
    brief: (p) => `Engine: ${engineSaid(p.error_msg)}`,
    says: () => 'The engine can not start its container',
    more: (p) => ['The engine says: ', { mono: p.error_msg }],
    next: (p) => again(p, 'Tried again '),
    todo: (p) =>
      /runtime/i.test(p.error_msg)
        ? [
            [
              'Is the runtime registered?',
              [
                ' Enter it in ',
                { mono: '/etc/docker/daemon.json' },
                ' and run ',
                { copy: 'systemctl reload docker' },
                '.',
              ],
            ],
            ['Or use another', [': change ', { mono: 'spec.runtime' }, ' in the manifest.']],
          ]
        : [['Read the message', ': it is the engine’s own. A runtime, disk space.']],
    acts: () => ['toManifest', 'startNow'],
    look: 'events',
    means: 'The engine could not create or start the container.',
    fix: 'The message is the engine’s own: a missing runtime, disk space. Tried again with growing waits. A missing command is a crash with code 127 whose last line says so.',
  },
  Paused: {
    title: 'Paused',
    brief: (p) => pausedSaid(p) || 'Paused',
    says: () => 'It is paused and does not run',
    next: () => 'It is not started until it is resumed.',
    look: 'events',
    means: 'Somebody has the host leave it alone: it does not run, and is not started until it is resumed.',
    fix: 'Resume it, here or by hershctl resume.',
  },
  Completed: {
    title: 'Ended',
    brief: (p) => (p.error_msg === '' ? 'Ended well' : `Ended: ${endOf(p)}`),
    says: (p) => (p.error_msg === '' ? 'It ran to its end, well' : `It ended: ${endOf(p)}`),
    next: () => 'Its restartPolicy leaves it there. Start runs it anew.',
    acts: () => ['startNow'],
    look: 'logs',
    means: 'It ran to its end, and its restartPolicy leaves it there.',
    fix: 'Nothing. Start runs it anew.',
  },
};

const OUT_OF_MEMORY: readonly ToDo[] = [
  ['Give it more', [' in ', { mono: 'spec.resources.memory' }, ', or mend the leak.']],
  ['Hold it', ' with Stop while you look: a wait is not a cure.'],
];

function crashToDo(p: ProgramBody): readonly ToDo[] {
  const goBack: ToDo[] = p.revision > 1 ? [['Go back', ' to an earlier revision while you mend it.']] : [];
  return [
    ['Read what it printed last', ': all runs are in Logs.'],
    ...goBack,
    ['Mend it', ': a change is taken up at once, without waiting for the back-off.'],
  ];
}

const isOutOfMemory = ({ last_exit }: ProgramBody) => last_exit?.out_of_memory === true;
const limit = ({ limits }: ProgramBody) => (limits === null ? 'memory limit' : mebi(limits.memory_bytes));
const exitOf = ({ last_exit, error_msg }: ProgramBody) => last_exit?.message ?? said(error_msg);

/** How a program that is Completed ended: the host says nothing of one that ended well. */
function endOf({ last_exit, error_msg }: ProgramBody): string {
  return (
    /with (exit code \d+(?: \([^)]*\))?)/.exec(said(error_msg))?.[1] ?? last_exit?.message ?? said(error_msg)
  );
}

/** `, 36 times`, as the host counts those in a row. */
function times({ error_msg }: ProgramBody, how = ''): string {
  const count = /^exited (\d+) times in a row/.exec(error_msg)?.[1];
  return count === undefined ? '' : `, ${count} times${how}`;
}

function crashBrief(p: ProgramBody): string {
  const { code, message = '', log_tail = '' } = p.last_exit ?? {};
  if (isOutOfMemory(p)) return `Runs out of its ${limit(p)}${times(p)}`;
  if (message === 'its liveness probe failed') return `Its liveness probe fails${times(p)}`;
  // The engine's init found nothing to run.
  const lacks = /\[FATAL tini \(\d+\)\] (exec .+ failed: .+)$/.exec(log_tail.trimEnd())?.[1];
  if ((code === 126 || code === 127) && lacks !== undefined) return lacks;
  return `Keeps exiting, ${exitOf(p)
    .replace(/^exit code /, 'code ')
    .replace(/;.*$/, '')}${times(p)}`;
}

/** What a readiness probe got last. */
function probeSays(p: ProgramBody): string {
  const said = p.not_ready?.message ?? p.conditions.find(({ type }) => type === 'Ready')?.message ?? '';
  return firstLine(said) || firstLine(p.error_msg) || 'no answer';
}

function lastRun({ started_at, last_exit }: ProgramBody): Words {
  const [from, to] = [msOf(started_at), msOf(last_exit?.finished_at)];
  return from === undefined || to === undefined || to < from
    ? ''
    : `Its last run took ${exactSpan(to - from)}.`;
}

/** When it is tried again, as far as that is known. */
export function again({ next_try_at }: ProgramBody, verb: string): Words[] {
  const at = msOf(next_try_at);
  return at === undefined ? [verb.trim(), ' by itself. '] : [verb, { in: at }, '. '];
}
