import type { Missing } from '../state/missing.ts';
import { Button } from './button.tsx';
import { Sign } from './glyph.tsx';

interface Props {
  why: Missing;
  /** What is wanted: "The editor". */
  what: string;
  /** Asks for it again. */
  onAgain: () => void;
  /** What can be done meanwhile. */
  meanwhile?: string;
}

const load = () => location.reload();

/** In the place of what was to be fetched and did not come. */
export function NotCome({ why, what, onAgain, meanwhile = '' }: Props) {
  return (
    <p class="not-come" role="status">
      <Sign role="warn" />
      <span>
        {why === 'updated' && 'This page was updated: load it again. '}
        {why === 'away' && `${what} did not come: the host does not answer. `}
        {why === 'broken' && `${what} did not come. `}
        {meanwhile}
      </span>
      {why !== 'updated' && (
        <Button kind="small" onClick={onAgain}>
          Try again
        </Button>
      )}
      {why !== 'away' && (
        <Button kind={why === 'updated' ? 'small primary' : 'small'} onClick={load}>
          Load it again
        </Button>
      )}
    </p>
  );
}
