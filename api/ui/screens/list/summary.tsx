import { Glyph, Sign } from '../../parts/glyph.tsx';
import { KINDS } from '../../words/kind.ts';
import { count } from '../../words/span.ts';
import { turned } from './filter.ts';
import type { ListModel } from './list-model.ts';
import { query, setQuery } from './list-state.ts';

/** How many there are of each kind; a click shows only those. */
export function Summary({ model }: { model: ListModel }) {
  const view = model.view.value;
  if (view === undefined) return null;
  const { tokens, words } = query.value;
  return (
    <p class="summary">
      <span class="total">
        <b>{count(view.total)}</b> {view.total === 1 ? 'program' : 'programs'}
      </span>
      {KINDS.map(({ kind, label, state, role, says }) => (
        <button
          key={kind}
          type="button"
          class={`kind ${kind}${view.counts[kind] === 0 ? ' zero' : ''}`}
          title={says}
          aria-pressed={tokens.includes(`is:${kind}`)}
          onClick={() => setQuery({ tokens: turned(tokens, `is:${kind}`), words })}
        >
          {kind === 'look' ? <Sign role="warn" /> : <Glyph state={state} role={role} />}
          <b>{count(view.counts[kind])}</b> {label}
        </button>
      ))}
    </p>
  );
}
