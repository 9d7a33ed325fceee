import { type ReadonlySignal, useComputed } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { ProgramBody } from '../../../routes/view.ts';
import { ACTS, ActButton } from '../../parts/acts.tsx';
import { Sign } from '../../parts/glyph.tsx';
import { allOutcomes, type Outcome } from '../../state/acts.ts';
import { now } from '../../state/now.ts';
import { href, programHref } from '../../state/route.ts';
import { partOf } from '../../state/usage.ts';
import type { ActName } from '../../words/act-names.ts';
import { problemSaid } from '../../words/brief.ts';
import { doingOf } from '../../words/doing.ts';
import { isTrouble } from '../../words/kind.ts';
import type { Look, ReasonWords } from '../../words/reason-words.ts';
import { wordsOf } from '../../words/reasons.ts';
import { msOf, percent, withClocks } from '../../words/span.ts';
import { HIGH, useUsage } from './figures.tsx';
import { away } from './list-state.ts';
import { seen } from './seen.ts';
import { Ticking } from './ticking.tsx';

interface Props {
  p: ProgramBody;
  /** Whether its place has two lines. */
  isTall: boolean;
  isNear: ReadonlySignal<boolean>;
}

/** What is going on with it: what is wrong and what can be done, or what it does. */
export function Why({ p, isTall, isNear }: Props) {
  const outcome = useOutcome(p);
  const words = wordsOf(p);
  const { kind, reason } = seen(p);
  if (words === undefined || !isTrouble(kind)) {
    if (outcome !== undefined) return <Said outcome={outcome} />;
    const text = words?.brief(p) ?? doingOf(p);
    return text === '' ? (
      <High name={p.program_id} isNear={isNear} />
    ) : (
      <Line text={text} title={titleOf(p)} />
    );
  }
  return (
    <>
      <div class="why-1" title={titleOf(p)}>
        <Sign role={kind === 'down' ? 'bad' : 'warn'} />
        <span class="clip">{words.brief(p)}</span>
        <a
          class="what"
          href={href('/reasons', {}, reason)}
          aria-label={`What ${reason} means`}
          title={`What ${reason} means`}
        >
          ?
        </a>
      </div>
      {isTall && <Second {...{ p, words, outcome, isNear }} />}
    </>
  );
}

const titleOf = ({ error_msg }: ProgramBody) => withClocks(error_msg, now.peek());

interface SecondProps {
  p: ProgramBody;
  words: ReasonWords;
  outcome: Outcome | undefined;
  isNear: ReadonlySignal<boolean>;
}

/** Where to look, what is best done, and when the host tries again; in place of these what an act came to. */
function Second({ p, words, outcome, isNear }: SecondProps) {
  const act = bestAct(p, words);
  const label = lookLabel(words.look, p);
  const next = msOf(p.next_try_at);
  return (
    <div class="why-2">
      <a href={programHref(p.program_id, { tab: words.look })} aria-label={`${label} of ${p.program_id}`}>
        {label}
      </a>
      {outcome !== undefined ? (
        <Said outcome={outcome} />
      ) : (
        <>
          {act && <ActButton name={act} p={p} kind="text" label={`${ACTS[act].label}: ${p.program_id}`} />}
          {next !== undefined && away.value === '' && (
            <span class="next">
              again <Ticking at={next} how="in" isNear={isNear} />
            </span>
          )}
        </>
      )}
    </div>
  );
}

function Said({ outcome }: { outcome: Outcome }) {
  return (
    <div class="why-1" title={outcome.text}>
      <Sign role={outcome.role} />
      <span class={`clip${outcome.role === 'bad' ? '' : ' asked'}`}>{outcome.text}</span>
    </div>
  );
}

function Line({ text, title }: { text: string; title: string }) {
  return (
    <div class="why-1" title={title || undefined}>
      <span class="clip">{text}</span>
    </div>
  );
}

/** Nothing is wrong: only memory that is nearly used up is worth a line. */
function High({ name, isNear }: { name: string; isNear: ReadonlySignal<boolean> }) {
  const usage = useUsage(name, isNear);
  const part = partOf(usage?.memory_bytes, usage?.memory_limit_bytes);
  if (part === null || part < HIGH) return null;
  return (
    <div class="why-1">
      <Sign role="warn" />
      <span class="clip">Memory is at {percent(part)} of its limit</span>
    </div>
  );
}

const LOOKS: Record<Look, string> = {
  logs: 'Last output',
  build: 'Build log',
  events: 'Events',
  manifest: 'Manifest',
  revisions: 'Compare',
};

function lookLabel(look: Look, { error_msg }: ProgramBody): string {
  const line = look === 'manifest' ? problemSaid(error_msg).line : 0;
  return line === 0 ? LOOKS[look] : `Line ${line}`;
}

/** The first that is not where the link beside it leads already. */
function bestAct(p: ProgramBody, { acts, look }: ReasonWords): ActName | undefined {
  const same: Partial<Record<Look, ActName>> = { manifest: 'toManifest', revisions: 'toRevisions' };
  return acts?.(p).find((name) => name !== same[look]);
}

/** An outcome stands so long at least, in milliseconds, and until its program has changed. */
const OUTCOME_MS = 8_000;

function useOutcome(p: ProgramBody): Outcome | undefined {
  const outcome = useComputed(() => allOutcomes.value.get(p.program_id)).value;
  const told = useRef<{ outcome: Outcome; updated: string } | undefined>(undefined);
  if (outcome === undefined) return undefined;
  if (told.current?.outcome !== outcome) told.current = { outcome, updated: p.updated_at };
  const isOver = told.current.updated !== p.updated_at && now.value - outcome.at > OUTCOME_MS;
  return isOver ? undefined : outcome;
}
