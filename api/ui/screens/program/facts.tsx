import type { ComponentChildren } from 'preact';
import type { RevisionView } from '../../../program-answers.ts';
import type { ProgramBody } from '../../../routes/view.ts';
import { Sign } from '../../parts/glyph.tsx';
import { Mono, Outside } from '../../parts/small.tsx';
import { Time, Unknown } from '../../parts/time.tsx';
import { useAsked } from '../../parts/use-asked.ts';
import { client } from '../../state/client.ts';
import type { History } from '../../state/history.ts';
import { engineAway } from '../../state/host.ts';
import { now } from '../../state/now.ts';
import { href } from '../../state/route.ts';
import { partOf, usageOf } from '../../state/usage.ts';
import { isUp, reasonOf } from '../../words/kind.ts';
import { count, exactSpan, exactTime, mebi, middle, msOf, percent, shortTime } from '../../words/span.ts';

/** From this part of a limit on it is said loudly. */
const HIGH = 0.85;

const RESTARTS =
  'How often the host started the same container again after it had ended, in its life. An exit that is still waited after, and the last of a container that was replaced, have none.';

/** What is known of it at a glance. */
export function Facts({ p, history }: { p: ProgramBody; history: History }) {
  const serving = history.revisions?.find(({ revision }) => revision === p.revision);
  const isOther = p.wanted_revision !== 0 && p.wanted_revision !== p.revision;
  return (
    <dl class="facts">
      <Fact label={p.state === 'Ready' ? 'Serves' : 'Revision'}>
        {p.revision === 0 ? (
          <span class="none">none yet</span>
        ) : (
          <Revision number={p.revision} commit={p.commit} />
        )}
      </Fact>
      {isOther && (
        <Fact label="Wanted">
          <Revision number={p.wanted_revision} commit={p.wanted_commit} />
        </Fact>
      )}
      <LastRun p={p} />
      <Fact label="Restarts" room="more">
        <span title={RESTARTS}>
          {count(p.restart_count)}
          {p.restarts_last_hour > 0 && <span class="note"> ({p.restarts_last_hour} in 1 h)</span>}
        </span>
      </Fact>
      <Used p={p} />
      <Fact label="Address">
        <Address p={p} />
      </Fact>
      <Made p={p} serving={serving} />
      {reasonOf(p) === 'BuildFailed' && p.revision > 0 && <FailedBuild p={p} />}
      <Fact label="User">
        <a href={href('', { q: `user:${p.user_id}` })}>{p.user_id}</a>
      </Fact>
    </dl>
  );
}

/** The newest build, where that is another than what it is made of now. */
function FailedBuild({ p }: { p: ProgramBody }) {
  const name = p.program_id;
  const { value, why } = useAsked(() => client.build(name), `${name} ${p.trouble?.since}`);
  const id = value?.id.split('@', 1)[0] ?? '';
  if (id !== '' && id === p.build_id) return null;
  return (
    <Fact label="Build that failed">
      {id === '' ? <Unknown why={why ?? 'not asked yet'} /> : <Mono title={id}>{middle(id, 26)}</Mono>}
    </Fact>
  );
}

interface FactProps {
  label: string;
  children: ComponentChildren;
  /** Of what changes by itself: it keeps room, so that what stands behind it does not move. */
  room?: 'some' | 'more';
}

function Fact({ label, children, room }: FactProps) {
  return (
    <div class={`fact${room === undefined ? '' : ` room-${room}`}`}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Revision({ number, commit }: { number: number; commit: string | null }) {
  return (
    <>
      <b>r{number}</b>{' '}
      {commit === null ? (
        <Unknown why="its commit is being read" />
      ) : commit === '' ? (
        <span class="note">no commit</span>
      ) : (
        <Mono title={commit}>{commit.slice(0, 7)}</Mono>
      )}
    </>
  );
}

function LastRun({ p }: { p: ProgramBody }) {
  const started = msOf(p.started_at);
  if (isUp(p))
    return (
      <Fact label="Up" room="some">
        <Time at={started} how="for" />
      </Fact>
    );
  const finished = msOf(p.last_exit?.finished_at);
  if (started === undefined || finished === undefined || finished < started) return null;
  return (
    <Fact label="Last run">
      {exactSpan(finished - started)}, ended{' '}
      <time title={exactTime(finished)}>{shortTime(finished, now.value)}</time>
    </Fact>
  );
}

function Used({ p }: { p: ProgramBody }) {
  const usage = usageOf(p.program_id).value;
  const why =
    engineAway() !== '' ? 'the engine is away' : usage === undefined ? 'not asked yet' : usage.reason;
  const memoryLimit = usage?.memory_limit_bytes ?? p.limits?.memory_bytes ?? null;
  const cpuLimit = usage?.cpu_limit ?? p.limits?.cpus ?? null;
  return (
    <>
      <Fact label="Memory" room="more">
        <Figure value={usage?.memory_bytes} limit={memoryLimit} words={mebi} why={why} />
      </Fact>
      <Fact label="CPU" room="some">
        <Figure value={usage?.cpu} limit={cpuLimit} words={percent} limitWords={String} why={why} />
      </Fact>
    </>
  );
}

interface FigureProps {
  value: number | null | undefined;
  limit: number | null;
  words: (value: number) => string;
  limitWords?: (limit: number) => string;
  why: string;
}

function Figure({ value, limit, words, limitWords = words, why }: FigureProps) {
  if (value == null || engineAway() !== '') return <Unknown why={why || 'not known'} />;
  const isHigh = (partOf(value, limit) ?? 0) >= HIGH;
  return (
    <>
      {isHigh ? (
        <b class="high">
          <Sign role="warn" /> <span class="n">{words(value)}</span>
        </b>
      ) : (
        <span class="n">{words(value)}</span>
      )}
      {limit !== null && <span class="note"> of {limitWords(limit)}</span>}
    </>
  );
}

function Address({ p }: { p: ProgramBody }) {
  if (p.proxy_url === '') return <Unknown why="it has no port yet" />;
  const port = /:(\d+)$/.exec(p.proxy_url)?.[1] ?? '';
  if (isUp(p)) return <Outside href={p.proxy_url}>{p.proxy_url.replace(/^https?:\/\//, '')}</Outside>;
  return <span title="held for it; nothing answers there now">port {port}</span>;
}

/** What it is made of and runs in; its policy is in the spec of what serves alone, which its revision has. */
function Made({ p, serving }: { p: ProgramBody; serving: RevisionView | undefined }) {
  const policy = (serving?.spec as { restartPolicy?: string } | undefined)?.restartPolicy ?? 'Always';
  const made = p.image || p.build_id;
  return (
    <>
      <Fact label="Runtime">
        {p.runtime || <Unknown why="no spec of it is known" />}
        {policy !== 'Always' && <span class="note"> {policy}</span>}
      </Fact>
      <Fact label={p.image === '' ? 'Build' : 'Image'}>
        {made === '' ? <Unknown why="nothing is built yet" /> : <Mono title={made}>{middle(made, 26)}</Mono>}
      </Fact>
    </>
  );
}
