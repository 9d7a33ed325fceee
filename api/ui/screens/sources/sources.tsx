import { useEffect, useState } from 'preact/hooks';
import { ApiError } from '../../../client.ts';
import type { ProgramBody } from '../../../routes/view.ts';
import { Button } from '../../parts/button.tsx';
import { languageOf } from '../../parts/code-tokens.ts';
import { CodeView } from '../../parts/code-view.tsx';
import { CopyButton } from '../../parts/copy.tsx';
import type { PartProps } from '../../parts/part-props.ts';
import { Mono } from '../../parts/small.tsx';
import { Unknown } from '../../parts/time.tsx';
import { wordsOfError } from '../../state/acts.ts';
import { client } from '../../state/client.ts';
import { href, params, programHref } from '../../state/route.ts';
import { size } from '../../words/span.ts';
import { type SourceFile, sourceFiles } from './source-files.ts';

/** What the program is built from, file by file. */
export function SourcesPart({ p }: PartProps) {
  const { files, why, again } = useSources(p);
  if (files === undefined || files.length === 0)
    return (
      <p class="bare" role="status">
        {why !== ''
          ? `${why} `
          : files === undefined
            ? 'Its sources are being read.'
            : 'It is built from no files: its manifest names an image.'}
        {why !== '' && (
          <Button kind="small" onClick={again}>
            Try again
          </Button>
        )}
      </p>
    );
  const wanted = params.value.get('file');
  const file = files.find(({ name }) => name === wanted) ?? files[0];
  return (
    <>
      <div class="part-top">
        <p>
          What {p.wanted_revision > 0 ? `r${p.wanted_revision}` : 'it'} is built from
          {p.wanted_commit && (
            <>
              , commit <Mono title={p.wanted_commit}>{p.wanted_commit.slice(0, 7)}</Mono>
            </>
          )}
          .{' '}
          {p.revision > 0 && p.wanted_revision !== p.revision && (
            <span class="note">
              {p.state === 'Ready' ? 'What serves' : 'What was made last'}, r{p.revision}, may have been built
              from other files: see <a href={programHref(p.program_id, { tab: 'revisions' })}>Revisions</a>.
            </span>
          )}
          {why !== '' && <span class="note"> As last known: {why}</span>}
        </p>
        <span class="grow" />
        <a class="button" href={href('/deploy', { from: p.program_id })}>
          Edit and deploy
        </a>
      </div>
      <div class="source">
        <nav class="files" aria-label="Files">
          {files.map(({ name, size: bytes }) => (
            <a
              key={name}
              href={programHref(p.program_id, { tab: 'sources', file: name })}
              aria-current={name === file?.name ? 'true' : undefined}
            >
              <span class="file-name">{name}</span>
              <span class="note">
                {bytes === null ? <Unknown why="it is no text, so that its size is not told" /> : size(bytes)}
              </span>
            </a>
          ))}
        </nav>
        {file !== undefined && <FileView key={file.name} file={file} />}
      </div>
    </>
  );
}

function FileView({ file }: { file: SourceFile }) {
  const { name, text } = file;
  return (
    <div class="source-view">
      <div class="part-top">
        <p>
          <b>{name}</b>
        </p>
        <span class="grow" />
        <CopyButton text={text} of={name} />
      </div>
      {file.size === null && <p class="note">It is no text: what is none of it is shown as �.</p>}
      {text === '' ? (
        <p class="bare">It is empty.</p>
      ) : (
        <CodeView text={text} language={languageOf(name)} label={name} />
      )}
    </div>
  );
}

/** Asked for again when something else is built. */
function useSources(p: ProgramBody) {
  const [loaded, setLoaded] = useState<{ files: SourceFile[] | undefined; why: string }>({
    files: undefined,
    why: '',
  });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isGone = false;
    client.source(p.program_id).then(
      (files) => {
        if (!isGone) setLoaded({ files: sourceFiles(files), why: '' });
      },
      (error: unknown) => {
        const why = wordsOfError(error);
        const isRefused = error instanceof ApiError && error.status !== 0;
        if (!isGone) setLoaded((before) => ({ files: isRefused ? undefined : before.files, why }));
      },
    );
    return () => {
      isGone = true;
    };
  }, [p.program_id, p.wanted_revision, p.build_id, turn]);
  return { ...loaded, again: () => setTurn((before) => before + 1) };
}
