import type { ProgramBody } from '../../../routes/view.ts';
import { ActButton, report } from '../../parts/acts.tsx';
import { CopyButton } from '../../parts/copy.tsx';
import { Sign } from '../../parts/glyph.tsx';
import { Says } from '../../parts/says.tsx';
import { Time, Unknown } from '../../parts/time.tsx';
import { ToDos } from '../../parts/to-dos.tsx';
import type { History } from '../../state/history.ts';
import { now } from '../../state/now.ts';
import { href } from '../../state/route.ts';
import { kindOf, reasonOf } from '../../words/kind.ts';
import type { ReasonWords } from '../../words/reason-words.ts';
import { exactTime, shortTime } from '../../words/span.ts';
import { isTried } from './between-tries.ts';
import { Evidence } from './evidence.tsx';

interface Props {
  p: ProgramBody;
  words: ReasonWords;
  history: History;
  sinceMs: number | undefined;
}

const TRIED_NOW = 'It is tried once more now. The waits double, up to 60 s.';

/** What is wrong, what happens by itself, what can be done: in this order. */
export function Trouble({ p, words, history, sinceMs }: Props) {
  const reason = reasonOf(p);
  const tone = kindOf(p) === 'down' ? 'bad' : 'warn';
  const more = words.more?.(p) ?? '';
  const next = isTried(p) ? TRIED_NOW : (words.next?.(p) ?? '');
  return (
    <section class={`trouble ${tone}`} aria-labelledby="trouble-title">
      <div class="trouble-main">
        <h2 id="trouble-title">
          <Sign role={tone} />
          <span>{words.says(p)}</span>
        </h2>
        <Since at={sinceMs} />
        {more !== '' && (
          <p>
            <Says words={more} />
          </p>
        )}
        {next !== '' && (
          <p class="then">
            <b>By itself: </b>
            <Says words={next} />
          </p>
        )}
        <ToDos list={words.todo?.(p) ?? []} />
        <div class="trouble-acts">
          {(words.acts?.(p) ?? []).map((name, at) => (
            <ActButton key={name} name={name} p={p} kind={at === 0 ? 'primary' : ''} />
          ))}
          <span class="asides">
            <a class="what" href={href('/reasons', {}, reason)}>
              What {reason} means
            </a>
            <CopyButton text={() => report(p)} of="a report" word="Copy a report" />
          </span>
        </div>
      </div>
      <Evidence p={p} history={history} sinceMs={sinceMs} />
    </section>
  );
}

function Since({ at }: { at: number | undefined }) {
  if (at === undefined)
    return (
      <p class="note">
        Since <Unknown why="no event of it is kept" />
      </p>
    );
  return (
    <p class="note">
      Since <time title={exactTime(at)}>{shortTime(at, now.value)}</time>, <Time at={at} />
    </p>
  );
}

/** What is under way, and asks nobody for anything: one line. */
export function News({ p, words }: { p: ProgramBody; words: ReasonWords }) {
  const [more, next] = [words.more?.(p), words.next?.(p)];
  return (
    <p class="news">
      <Sign role="busy" />
      <b>{words.says(p)}</b>
      <span>
        . {more && <Says words={more} />} {next && <Says words={next} />}
      </span>
    </p>
  );
}
