import { useComputed } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ProgramBody } from '../../../routes/view.ts';
import { Sign } from '../../parts/glyph.tsx';
import { useKeys } from '../../state/keys.ts';
import { programOf } from '../../state/programs.ts';
import { params } from '../../state/route.ts';
import { isUp, kindOf } from '../../words/kind.ts';
import { checksOf, maySend } from './checks.ts';
import { draft, openDraft, startKeeping } from './deploy-state.ts';
import { deploy, deployment } from './deployment.ts';
import { isBegun } from './draft.ts';
import { Happens } from './happens.tsx';
import { Sending } from './sending.tsx';
import { useDrop } from './start.tsx';
import { nameProblem, userProblem } from './user.ts';

/** From a folder to Ready, on one page. Left what is sent, right what happens. */
export function DeployScreen() {
  const from = params.value.get('from') ?? '';
  useEffect(startKeeping, []);
  useEffect(() => openDraft(from), [from]);
  const checks = useComputed(() => checksOf(draft.value));
  const { userId, name, sent } = draft.value;
  const isEmpty = !isBegun(draft.value);
  const isSound = maySend(checks.value) && nameProblem(name) === '';
  const why = userProblem(userId) || (isSound ? '' : 'First mend what is marked above.');
  useDrop();
  useSendKey(!isEmpty && why === '');
  const isOn = sent !== undefined || deployment.value.kind !== 'idle';
  useEffect(() => {
    document.title = `${from === '' ? 'Deploy' : `Deploy ${from}`} · Hersh Host`;
  }, [from]);
  return (
    <>
      <h1 class="page-title">{from === '' ? 'Deploy' : `Deploy ${from} again`}</h1>
      {from !== '' && <Again name={from} />}
      <div class={`deploy${isOn ? ' goes' : ''}`}>
        <Sending
          {...{ from, checks: checks.value, why, note: noteOf(draft.value.program) }}
          onDeploy={() => void deploy()}
        />
        <Happens />
      </div>
    </>
  );
}

/** Ctrl+Enter deploys, from within a field too. */
function useSendKey(isOn: boolean): void {
  // Told in the list of keys; those with Ctrl do not go through it.
  useKeys('Deploy', [{ keys: 'Ctrl+Enter', label: 'Deploy', run: () => undefined }]);
  useEffect(() => {
    if (!isOn) return;
    const listen = (event: KeyboardEvent) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
      if (document.querySelector('dialog[open]') !== null) return;
      event.preventDefault();
      void deploy();
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, [isOn]);
}

function noteOf(program: string): string {
  if (program === '') return 'It is created and started; nothing that runs is touched.';
  const p = programOf(program)?.value;
  return p !== undefined && serves(p)
    ? `r${p.revision} serves until the new one is built, and comes back if that does not get ready.`
    : 'It is built anew, in the same program.';
}

function serves(p: ProgramBody): boolean {
  return p.revision > 0 && isUp(p) && kindOf(p) !== 'down';
}

/** What new sources come to, for a program that is there. */
function Again({ name }: { name: string }) {
  const p = programOf(name)?.value;
  if (p === undefined) return null;
  return (
    <p class="news">
      <Sign role="busy" />
      <span>
        {p.state === 'Stopped' || p.state === 'Created'
          ? 'It is stopped, and is started with what you send.'
          : serves(p)
            ? `It becomes a new revision. r${p.revision} serves until that is built, and comes back if it does not get ready.`
            : 'It becomes a new revision. None serves now.'}
      </span>
    </p>
  );
}
