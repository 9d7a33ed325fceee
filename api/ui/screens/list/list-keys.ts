import type { ProgramBody } from '../../../routes/view.ts';
import { ACTS } from '../../parts/acts.tsx';
import { isStartNext, say } from '../../state/acts.ts';
import { useKeys } from '../../state/keys.ts';
import { programOf } from '../../state/programs.ts';
import { go, programHref } from '../../state/route.ts';
import type { ActName } from '../../words/act-names.ts';
import { isUp } from '../../words/kind.ts';
import { turned } from './filter.ts';
import { away, query, setQuery } from './list-state.ts';

/** What keys do in the list. `Enter` opens by itself: the name is a link. */
export function useListKeys(): void {
  useKeys('Programs', [
    {
      keys: '/',
      label: 'Search and filter',
      run: () => document.querySelector<HTMLInputElement>('#search')?.focus(),
    },
    { keys: 'j', label: 'Next program', run: () => step(1) },
    { keys: 'k', label: 'Program before', run: () => step(-1) },
    { keys: 'ArrowDown', label: 'Next program', run: () => step(1) },
    { keys: 'ArrowUp', label: 'Program before', run: () => step(-1) },
    {
      keys: 'l',
      label: 'Its logs',
      run: () => withHere((p) => go(programHref(p.program_id, { tab: 'logs' }))),
    },
    {
      keys: 's',
      label: 'Start or stop it',
      run: () => withHere((p) => act(p, isStartNext(p) ? 'start' : 'stop')),
    },
    {
      keys: 'r',
      label: 'Restart it',
      run: () => withHere((p) => act(p, 'restart', isUp(p) ? '' : 'only in Running and Ready')),
    },
    { keys: '0', label: 'All', run: () => setQuery({ tokens: [], words: [] }) },
    { keys: '1', label: 'Only what is down', run: () => only('is:down') },
    { keys: '2', label: 'Only what needs a look', run: () => only('is:look') },
  ]);
}

function step(by: 1 | -1): void {
  const all = [...document.querySelectorAll<HTMLElement>('.programs a.name')];
  const row = document.activeElement?.closest('.row');
  const at = all.findIndex((name) => name.closest('.row') === row);
  const to =
    row == null || at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by));
  all[to]?.focus();
}

function withHere(run: (p: ProgramBody) => void): void {
  const row = document.activeElement?.closest<HTMLElement>('.programs .row');
  const p = programOf(row?.dataset.id ?? '')?.peek();
  if (p !== undefined) run(p);
}

function act(p: ProgramBody, name: ActName, why = ''): void {
  const hindrance = away.peek() === '' ? why : 'the engine is away';
  if (hindrance === '') ACTS[name].run?.(p);
  else say(p.program_id, `${ACTS[name].label} can not be done: ${hindrance}`, 'bad');
}

function only(token: string): void {
  const { tokens, words } = query.peek();
  setQuery({ tokens: turned(tokens, token), words });
}
