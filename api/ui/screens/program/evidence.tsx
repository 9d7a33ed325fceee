import type { ComponentChildren } from 'preact';
import type { RevisionView } from '../../../program-answers.ts';
import type { ProgramBody } from '../../../routes/view.ts';
import { CodeView } from '../../parts/code-view.tsx';
import { Mono } from '../../parts/small.tsx';
import { Tail } from '../../parts/tail.tsx';
import { Time } from '../../parts/time.tsx';
import { useAsked } from '../../parts/use-asked.ts';
import { client } from '../../state/client.ts';
import type { History } from '../../state/history.ts';
import { now } from '../../state/now.ts';
import { programHref } from '../../state/route.ts';
import { reasonOf } from '../../words/kind.ts';
import { exactSpan, exactTime, msOf, shortTime } from '../../words/span.ts';
import { type Cause, causeOf } from './cause.ts';
import { failedBuild, linesAround, placeIn } from './failed-build.ts';

interface Props {
  p: ProgramBody;
  history: History;
  sinceMs: number | undefined;
}

/** Beside what is wrong: what was changed before, and the last words there are. */
export function Evidence({ p, history, sinceMs }: Props) {
  const { revisions, events = [] } = history;
  const cause = revisions && causeOf(p, revisions, events, sinceMs);
  return (
    <div class="trouble-side">
      {cause && <Before p={p} cause={cause} sinceMs={sinceMs} />}
      <LastWords p={p} history={history} />
    </div>
  );
}

function Before({ p, cause, sinceMs }: { p: ProgramBody; cause: Cause; sinceMs: number | undefined }) {
  const { revision, isFirst, good, changed, steady, never, changes } = cause;
  return (
    <div class="cause">
      <h3>What changed before</h3>
      {revision && (
        <p>
          It began with <b>r{revision.revision}</b>
          {revision.commit !== '' && (
            <>
              , commit <Mono title={revision.commit}>{revision.commit.slice(0, 7)}</Mono>
            </>
          )}
          {made(revision, sinceMs)}.{' '}
          {good === undefined && (isFirst ? 'It is the first.' : 'None before it has run.')}
        </p>
      )}
      {never && (
        <p>
          It did not begin with r{never.revision}: no revision that is kept has been ready.{' '}
          <a href={programHref(p.program_id, { tab: 'revisions' })}>All revisions</a>
        </p>
      )}
      {steady && (
        <p>
          No revision: r{steady.revision} was made <Time at={msOf(steady.created_at)} />, and has been ready.
        </p>
      )}
      {changed.length > 0 && (
        <ul class="changes">
          {changed.map((line) => (
            <li key={line} class="mono">
              {line}
            </li>
          ))}
        </ul>
      )}
      {revision && good && changed.length === 0 && (
        <p>Nothing of its spec or sources differs from r{good.revision}.</p>
      )}
      {changes.length > 0 && (
        <ul class="changes">
          {changes.map(({ at, text }) => (
            <li key={`${at}${text}`}>
              <time title={exactTime(at)}>{shortTime(at, now.value)}</time> {text}
            </li>
          ))}
        </ul>
      )}
      {revision && good && (
        <p>
          <a href={programHref(p.program_id, { tab: 'revisions' })}>
            Compare r{good.revision} with r{revision.revision}
          </a>
        </p>
      )}
    </div>
  );
}

/** `, made by ana 46 s before` */
function made({ author, created_at }: RevisionView, sinceMs: number | undefined): string {
  const created = msOf(created_at);
  const who = author === '' ? '' : ` by ${author}`;
  const isBefore = created !== undefined && sinceMs !== undefined && sinceMs >= created;
  return who === '' && !isBefore
    ? ''
    : `, made${who}${isBefore ? ` ${exactSpan(sinceMs - created)} before` : ''}`;
}

/** What was said last by what went wrong. */
function LastWords({ p, history }: { p: ProgramBody; history: History }): ComponentChildren {
  const reason = reasonOf(p);
  if (reason === 'BuildFailed' || reason === 'DiskFull') return <BuildWords p={p} />;
  if (reason === 'InvalidManifest') return <ManifestWords p={p} />;
  if (reason === 'RolledBack') {
    const wanted = history.revisions?.find(({ revision }) => revision === p.wanted_revision);
    if (wanted === undefined || wanted.log === '') return null;
    return <Tail text={wanted.log} label={`The last lines of r${wanted.revision}`} />;
  }
  if (reason !== 'CrashLoopBackOff' || p.last_exit === null) return null;
  if (p.last_exit.log_tail === '') return <p class="note">Its last run printed nothing that is kept.</p>;
  return <Tail text={p.last_exit.log_tail} label="The last lines of its last run" />;
}

function BuildWords({ p }: { p: ProgramBody }) {
  const name = p.program_id;
  const { value: build } = useAsked(() => client.build(name), `${name} ${p.error_msg} ${p.updated_at}`);
  const failed = build && failedBuild(build);
  const line = failed?.line ?? null;
  const key = `${name} ${line === null ? '' : build?.id}`;
  const { value: files } = useAsked(() => (line === null ? Promise.resolve({}) : client.source(name)), key);
  const dockerfile = (files as Record<string, string> | undefined)?.Dockerfile;
  if (failed === undefined) return null;
  const around = line === null || dockerfile === undefined ? undefined : linesAround(dockerfile, line);
  return (
    <>
      <Tail text={failed.text} label={`The last lines of ${failed.where}`} />
      {around && line !== null && (
        <div class="cause">
          <h3>Dockerfile, line {line}</h3>
          <CodeView
            text={around.text}
            language="dockerfile"
            first={around.first}
            marks={new Map([[line, 'can not be read']])}
          />
        </div>
      )}
    </>
  );
}

function ManifestWords({ p }: { p: ProgramBody }) {
  const name = p.program_id;
  const { value } = useAsked(() => client.manifest(name), `${name} ${p.error_msg}`);
  const place = placeIn(p.error_msg);
  if (value === undefined || place === undefined) return null;
  const { text, first } = linesAround(value.text, place.line);
  return (
    <div class="cause">
      <h3>Its manifest, line {place.line}</h3>
      <CodeView text={text} language="yaml" first={first} marks={new Map([[place.line, place.says]])} />
    </div>
  );
}
