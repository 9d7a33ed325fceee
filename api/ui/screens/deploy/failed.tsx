import { ActButton } from '../../parts/acts.tsx';
import { Button } from '../../parts/button.tsx';
import { Sign } from '../../parts/glyph.tsx';
import { Says } from '../../parts/says.tsx';
import { Tail } from '../../parts/tail.tsx';
import { ToDos } from '../../parts/to-dos.tsx';
import { now } from '../../state/now.ts';
import { href, programHref } from '../../state/route.ts';
import { kindOf, reasonOf } from '../../words/kind.ts';
import { REASONS, wordsOf } from '../../words/reasons.ts';
import { withClocks } from '../../words/span.ts';
import { apply, draft } from './deploy-state.ts';
import { deploy } from './deployment.ts';
import { copiesGoModAlone, copyingGoSum } from './dockerfile.ts';
import { failedStep, isWantOfGoSum } from './failed-step.ts';
import type { ResultProps } from './result-props.ts';
import { showLine } from './show-line.ts';

/** It failed: the lines, the step, the line of the Dockerfile, what to do. */
export function Failed({ p, progress, build, outcome }: ResultProps) {
  const { failed } = progress;
  if (failed === undefined || p === undefined) return null;
  // What crashes has no reason for the moment in which it runs.
  const words = reasonOf(p) === failed.reason ? wordsOf(p) : REASONS[failed.reason];
  const isBuild = outcome.kind === 'failed' && outcome.at === 'Building';
  // Where an older one goes on serving, nothing is down.
  const role = kindOf(p) === 'look' ? 'warn' : 'bad';
  const next = words?.next?.(p) ?? '';
  return (
    <section class={`trouble ${role} single`}>
      <div class="trouble-main">
        <h2>
          <Sign role={role} />
          <span>{words?.says(p) ?? failed.reason}</span>
        </h2>
        {isBuild && build !== undefined ? (
          <Step build={build} />
        ) : (
          <LastWords p={p} message={failed.message} />
        )}
        {next !== '' && (
          <p>
            <Says words={next} />
          </p>
        )}
        <ToDos list={words?.todo?.(p) ?? []} />
        <div class="trouble-acts">
          {isBuild && build !== undefined && isWantOfGoSum(build) && <CopyGoSum />}
          <Button kind={isBuild ? 'primary' : ''} onClick={() => void deploy()}>
            Send it again
          </Button>
          {!isBuild &&
            words
              ?.acts?.(p)
              .map((name) => name !== 'toSources' && <ActButton key={name} name={name} p={p} />)}
          {!isBuild && (
            <a href={programHref(p.program_id, { tab: words?.look })}>Open its {words?.look ?? 'page'}</a>
          )}
          <span class="asides">
            <a class="what" href={href('/reasons', {}, failed.reason)}>
              What {failed.reason} means
            </a>
          </span>
        </div>
      </div>
    </section>
  );
}

function Step({ build }: { build: NonNullable<ResultProps['build']> }) {
  const found = failedStep(build, draft.value.files.get('Dockerfile') ?? '');
  if (found === undefined)
    return (
      <>
        <Tail text={build.error} label="What the builder said" />
        {build.dockerfile_line !== null && <ShowLine line={build.dockerfile_line} />}
      </>
    );
  const where = found.line === null ? '' : `, line ${found.line} of the Dockerfile`;
  return (
    <>
      <Tail
        text={found.tail}
        label={`Step ${found.step.number} of ${found.of}${where}: ${found.step.name}`}
      />
      {found.step.output.length > 0 && <p class="mono">{found.step.error}</p>}
      {found.line !== null && <ShowLine line={found.line} />}
    </>
  );
}

function ShowLine({ line }: { line: number }) {
  return (
    <p>
      <Button kind="small" onClick={() => showLine(line)}>
        Show line {line}
      </Button>
    </p>
  );
}

function LastWords({ p, message }: { p: NonNullable<ResultProps['p']>; message: string }) {
  const tail = p.last_exit?.log_tail ?? '';
  if (tail !== '') return <Tail text={tail} label="What it printed last" />;
  return <Tail text={withClocks(message, now.peek())} label="What the host says" />;
}

function CopyGoSum() {
  const docker = draft.value.files.get('Dockerfile') ?? '';
  const mended = copyingGoSum(docker);
  if (copiesGoModAlone(docker) === undefined || mended === docker) return null;
  return (
    <Button
      kind="primary"
      onClick={() => {
        apply({ kind: 'write', name: 'Dockerfile', text: mended });
        void deploy();
      }}
    >
      Copy go.sum too, and send it again
    </Button>
  );
}
