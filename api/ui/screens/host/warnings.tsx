import type { HostView } from '../../../../schemas/host-view.ts';
import { Button } from '../../parts/button.tsx';
import { Sign } from '../../parts/glyph.tsx';
import { Says } from '../../parts/says.tsx';
import { Result } from '../../parts/small.tsx';
import { Time } from '../../parts/time.tsx';
import { programOf, names as programs } from '../../state/programs.ts';
import { href, programHref } from '../../state/route.ts';
import { count, msOf } from '../../words/span.ts';
import { askPrograms, askStrays, pruned } from './prune.tsx';
import { onBranch, type Warning, warningWords } from './warning-words.ts';

/** Names that are told at once. */
const NAMED_MAX = 8;

/** What needs a word, each with what to do. */
export function Warnings({ host }: { host: HostView }) {
  // That the engine is away is told over everything.
  const warnings = host.warnings.filter(({ code }) => code !== 'EngineUnavailable');
  if (warnings.length === 0) return <Pruned />;
  // What all of them are about is asked once.
  const firstStray = warnings.find(({ confirm }) => confirm === 'strays');
  return (
    <section aria-labelledby="warn-title">
      <h2 id="warn-title">
        Needs a word<span class="n">{warnings.length}</span>
      </h2>
      <Pruned />
      <ol class="warnings">
        {warnings.map((warning) => (
          <One
            key={`${warning.code} ${warning.confirm === '' ? warning.message : warning.names.join()}`}
            {...{ warning, host }}
            hasStrays={warning === firstStray}
          />
        ))}
      </ol>
    </section>
  );
}

export function Pruned() {
  const said = pruned.value;
  return said === undefined ? null : <Result role={said.role}>{said.text}</Result>;
}

function One({ warning, host, hasStrays }: { warning: Warning; host: HostView; hasStrays: boolean }) {
  const branch = host.git?.remote?.branch ?? 'main';
  const { role, title, says, todo, hasNames } = onBranch(
    warningWords(warning, programs.value.length, host.git !== null),
    branch,
  );
  const since = msOf(warning.since);
  return (
    <li class={`warning ${role}`}>
      <Sign role={role} />
      <div>
        <h3>{title}</h3>
        <div class="warning-body">
          <p>
            {since !== undefined && (
              <>
                Told <Time at={since} />.{' '}
              </>
            )}
            <Says words={says} />
          </p>
          {hasNames && <Names names={warning.names} />}
          {hasStrays && <Strays strays={host.strays} />}
          {todo !== '' && (
            <p>
              <Says words={todo} />
            </p>
          )}
        </div>
        <Acts {...{ warning, host, hasStrays }} />
      </div>
    </li>
  );
}

function Names({ names }: { names: readonly string[] }) {
  const more = names.length - NAMED_MAX;
  return (
    <p class="names">
      {names.slice(0, NAMED_MAX).map((name, at) => (
        <span key={name}>
          {at > 0 && ', '}
          {programOf(name) === undefined ? name : <a href={programHref(name)}>{name}</a>}
        </span>
      ))}
      {more > 0 && `, and ${count(more)} more`}
    </p>
  );
}

function Strays({ strays }: Pick<HostView, 'strays'>) {
  return (
    <div class="table strays" role="table" aria-label="Stray containers">
      {strays.map(({ name, program, message }) => (
        <div key={name} class="stray" role="row">
          <div class="mono" role="cell">
            {name}
          </div>
          <div role="cell">{program === '' ? '' : `says ${program}`}</div>
          <div class="note" role="cell">
            {message}
          </div>
        </div>
      ))}
    </div>
  );
}

function Acts({ warning, host, hasStrays }: { warning: Warning; host: HostView; hasStrays: boolean }) {
  if (warning.confirm === 'programs')
    return (
      <div class="trouble-acts">
        <Button kind="danger" onClick={() => askPrograms(warning, host)}>
          Let the {warning.names.length} go…
        </Button>
        <a class="button" href={href('', { q: 'reason:ManifestMissing' })}>
          Show them
        </a>
      </div>
    );
  if (!hasStrays || host.strays.length === 0) return null;
  return (
    <div class="trouble-acts">
      <Button kind="danger" onClick={() => askStrays(host)}>
        Remove {host.strays.length === 1 ? 'it' : `the ${host.strays.length}`}…
      </Button>
    </div>
  );
}
