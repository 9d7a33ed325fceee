import type { ProgramBody } from '../../../routes/view.ts';
import { Unknown } from '../../parts/time.tsx';
import { programHref } from '../../state/route.ts';
import { isUp } from '../../words/kind.ts';
import { count } from '../../words/span.ts';
import { portOf } from './seen.ts';

export function RestartsCell({ total, recent, isTall }: { total: number; recent: number; isTall: boolean }) {
  return (
    <div
      class={`c-restarts num${recent > 0 ? ' firm' : ''}`}
      role="cell"
      title={`Started again ${count(total)} times in its life, ${count(recent)} in the last hour; an exit that is still waited after is none yet`}
    >
      {count(total)}
      {recent > 0 && isTall && <span class="sub">{count(recent)} in 1 h</span>}
    </div>
  );
}

/** What serves, and what is wanted where that is another. */
export function RevisionCell({ p, isTall }: { p: ProgramBody; isTall: boolean }) {
  const { revision, wanted_revision: wanted } = p;
  const isOther = revision > 0 && wanted > 0 && wanted !== revision;
  if (isOther && !isTall)
    return (
      <div class="c-rev" role="cell">
        {`r${revision} → r${wanted}`}
      </div>
    );
  const serves = (
    <>
      {revision > 0 ? `r${revision}` : <Unknown why="none has served yet" />}
      {revision > 0 && <Commit commit={p.commit} of={p.program_id} />}
    </>
  );
  if (!isOther)
    return (
      <div class="c-rev" role="cell">
        {serves}
      </div>
    );
  return (
    <div class="c-rev" role="cell">
      <div>{serves}</div>
      <div class="sub" title="what the manifest asks for">
        r{wanted}
        <Commit commit={p.wanted_commit} />
      </div>
    </div>
  );
}

/** @param props.of the program whose revisions it leads to */
function Commit({ commit, of }: { commit: string | null; of?: string }) {
  if (commit === '') return null;
  if (commit === null)
    return (
      <span class="commit" title="its commit is being read">
        –
      </span>
    );
  const short = commit.slice(0, 7);
  if (of === undefined) return <span class="mono commit">{short}</span>;
  return (
    <a class="mono commit" href={programHref(of, { tab: 'revisions' })} title={`commit ${commit}`}>
      {short}
    </a>
  );
}

export function PortCell({ p }: { p: ProgramBody }) {
  const port = portOf(p.proxy_url);
  return (
    <div class="c-port" role="cell">
      {port < 0 ? (
        <Unknown why="it has no port" />
      ) : isUp(p) ? (
        <a
          class="port"
          href={p.proxy_url}
          rel="noreferrer"
          target="_blank"
          title={p.proxy_url}
          aria-label={`:${port} opens in a new tab`}
        >
          :{port}
        </a>
      ) : (
        <span class="none" title="held, and nothing answers there">
          :{port}
        </span>
      )}
    </div>
  );
}
