import type { ProgramBody } from '../../routes/view.ts';
import { remove, restart, rollBack, start, startNow, stop } from '../state/acts.ts';
import { engineAway } from '../state/host.ts';
import { href, programHref } from '../state/route.ts';
import type { ActName } from '../words/act-names.ts';
import { isUp, kindOf, reasonOf } from '../words/kind.ts';
import { wordsOf } from '../words/reasons.ts';
import { Button } from './button.tsx';
import { askByName, DialogActions, showDialog } from './dialog.tsx';
import type { MenuItem } from './menu.tsx';

/** What can be done to a program: one list, for rows, heads and menus. */

interface Act {
  label: string;
  run?: (p: ProgramBody) => void;
  href?: (p: ProgramBody) => string;
}

export const ACTS: Record<ActName, Act> = {
  start: { label: 'Start', run: (p) => void start(p.program_id) },
  startNow: { label: 'Start now', run: (p) => void startNow(p.program_id) },
  stop: { label: 'Stop', run: (p) => void stop(p.program_id) },
  restart: { label: 'Restart', run: (p) => void restart(p.program_id) },
  tryAgain: { label: 'Try it again', run: (p) => void restart(p.program_id) },
  // Where an older revision serves, `start` has nothing to start.
  buildAgain: {
    label: 'Build the same again',
    run: (p) => void (isUp(p) ? restart(p.program_id) : start(p.program_id)),
  },
  rollBack: { label: 'Roll back…', run: (p) => askRollBack(p) },
  toManifest: { label: 'Open the manifest', href: (p) => programHref(p.program_id, { tab: 'manifest' }) },
  toSources: { label: 'Edit the sources', href: (p) => href('/deploy', { from: p.program_id }) },
  toRevisions: { label: 'Compare revisions', href: (p) => programHref(p.program_id, { tab: 'revisions' }) },
  toHost: { label: 'Open Host', href: () => href('/host') },
};

/** One of them as a button or a link. */
export function ActButton({
  name,
  p,
  kind = '',
  label,
}: {
  name: ActName;
  p: ProgramBody;
  kind?: string;
  label?: string;
}) {
  const act = ACTS[name];
  if (act.href !== undefined)
    return (
      <a class={`button ${kind}`.trim()} href={act.href(p)} aria-label={label}>
        {act.label}
      </a>
    );
  const away = engineAway();
  return (
    <Button
      kind={kind}
      label={label}
      disabled={away !== ''}
      title={away === '' ? undefined : 'the engine is away'}
      onClick={() => act.run?.(p)}
    >
      {act.label}
    </Button>
  );
}

/** Asks before a roll back. @param revision to go back to; left out: the newest earlier one that was ready */
export function askRollBack(p: ProgramBody, revision?: number): void {
  const where = revision === undefined ? 'the last revision that was ready' : `revision ${revision}`;
  showDialog({
    title: `Roll ${p.program_id} back to ${where}?`,
    body: (close) => (
      <>
        <ul class="plain">
          <li>Its manifest is edited: all of spec but desiredState and restartedAt become what they were.</li>
          <li>Sources that have changed since come back as a folder of their own.</li>
          <li>It gets a new number. Under git this is a commit, and git revert undoes it.</li>
          <li>One container takes the place of the other: about a second without service.</li>
        </ul>
        <p>
          <a href={programHref(p.program_id, { tab: 'revisions' })} onClick={close}>
            See the difference first
          </a>
        </p>
        <DialogActions>
          <Button onClick={close}>Leave it</Button>
          <Button
            kind="primary"
            onClick={() => {
              close();
              void rollBack(p.program_id, revision);
            }}
          >
            Roll back
          </Button>
        </DialogActions>
      </>
    ),
  });
}

/** Asks by name, and deletes. */
export function askDelete(p: ProgramBody): void {
  askByName({
    title: `Delete ${p.program_id}?`,
    word: p.program_id,
    what: 'name',
    verb: 'Delete it',
    says: (
      <ul class="plain">
        <li>
          {isUp(p) ? 'It serves now. Its container is stopped and removed.' : 'Its container is removed.'}
        </li>
        <li>Its manifest goes to the trash; under git that is a commit.</li>
        <li>
          Its volume /state is kept for 7 days, unless the host was told otherwise. A program of the same name
          and user takes it back until then.
        </li>
      </ul>
    ),
    onYes: () => void remove(p.program_id),
  });
}

/** The menu of a program, the same in the list and on its page. What can not be done says why. */
export function programMenu(p: ProgramBody, { isList = false } = {}): readonly MenuItem[] {
  const away = engineAway() === '' ? undefined : 'the engine is away';
  const item = (name: ActName, why: string | undefined, keys?: string): MenuItem => ({
    label: ACTS[name].label,
    keys,
    why,
    run: () => ACTS[name].run?.(p),
  });
  const to = (label: string, tab: string | undefined, keys?: string): MenuItem => ({
    label,
    keys,
    href: programHref(p.program_id, { tab }),
  });
  return [
    ...(isList ? [to('Logs', 'logs', 'l'), to('Build log', 'build'), to('Manifest', 'manifest'), null] : []),
    item('restart', away ?? (isUp(p) ? undefined : 'only in Running and Ready'), 'r'),
    kindOf(p) === 'rest' ? item('start', away, 's') : item('stop', away, 's'),
    item('rollBack', p.revision > 1 ? away : 'there is no earlier revision', 'b'),
    null,
    { label: 'Copy its name', run: () => void navigator.clipboard.writeText(p.program_id) },
    { label: 'Copy a report', run: () => void navigator.clipboard.writeText(report(p)) },
    null,
    { label: 'Delete…', isDanger: true, run: () => askDelete(p) },
  ];
}

/** For a colleague: what is known of it in a few lines. */
export function report(p: ProgramBody): string {
  const reason = reasonOf(p);
  return [
    `${p.program_id} (${p.user_id}): ${p.state}${reason === '' ? '' : `, ${reason}`} since ${p.updated_at}`,
    wordsOf(p)?.says(p) ?? '',
    p.error_msg,
    `revision ${p.revision}${p.state === 'Ready' ? ' serves' : ''}${p.commit ? `, commit ${p.commit}` : ''}; ${p.restart_count} restarts`,
    location.href,
  ]
    .filter((line) => line !== '')
    .join('\n');
}
