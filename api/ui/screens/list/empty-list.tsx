import { useState } from 'preact/hooks';
import { CopyLines } from '../../parts/copy.tsx';
import { Mono } from '../../parts/small.tsx';
import { entriesOf, hand } from '../../state/handed.ts';
import { host } from '../../state/host.ts';
import { go, href } from '../../state/route.ts';
import { count } from '../../words/span.ts';

/** No program yet: three ways to begin. */
export function EmptyList() {
  return (
    <section class="empty">
      <h1>Nothing runs here yet</h1>
      <p class="lead">
        A program is a Dockerfile and its sources. The host builds it, keeps it running, and says why when it
        can not. Three ways to begin:
      </p>
      <div class="ways">
        <ByFolder />
        <ByTerminal />
        <ByFile />
      </div>
      <About />
    </section>
  );
}

function ByFolder() {
  const [isOver, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    hand(entriesOf(event.dataTransfer));
    go(href('/deploy'));
  };
  return (
    <div class="way">
      <h2>Drop a folder</h2>
      <div
        class={`drop${isOver ? ' over' : ''}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <p>
          <b>Drop it here</b>, or <a href={href('/deploy')}>choose files</a>
        </p>
        <p class="note">A folder with a Dockerfile. .dockerignore is honoured.</p>
      </div>
      <p>
        No folder at hand? <a href={href('/deploy')}>Begin with an example</a>.
      </p>
    </div>
  );
}

function ByTerminal() {
  return (
    <div class="way">
      <h2>From your terminal</h2>
      <CopyLines text={curlLines(location.origin)} />
      <p class="note">
        The answer has its <Mono>program_id</Mono>; it is built and started by the second call, and is in this
        list at once.
      </p>
    </div>
  );
}

function curlLines(origin: string): string {
  const sources = `{"user_id": "me", "dockerfile": "FROM busybox\\nCMD [\\"httpd\\", \\"-f\\", \\"-p\\", \\"8080\\"]\\n"}`;
  return [
    `curl -s ${origin}/programs \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${sources}'`,
    `curl -X POST ${origin}/programs/PROGRAM_ID/start`,
  ].join('\n');
}

const MANIFEST = `apiVersion: hersh.dev/v1
kind: Program
metadata:
  name: hello
spec:
  userId: me
  build:
    context: sources/hello
`;

function ByFile() {
  const registry = host.value?.registry;
  return (
    <div class="way">
      <h2>From files or git</h2>
      <CopyLines text={MANIFEST} />
      <p class="note">
        Save it as{' '}
        <Mono>{registry === undefined ? 'programs/hello.yaml' : `${registry}/programs/hello.yaml`}</Mono>. It
        is taken up by itself; by git, with a commit.
      </p>
    </div>
  );
}

function About() {
  const view = host.value;
  if (view === undefined) return null;
  const { engine, ports } = view;
  const free = ports.max - ports.min + 1 - ports.held;
  const what = [
    engine.version === null ? 'the engine is away' : `Docker ${engine.version}`,
    ...(engine.runtimes === null ? [] : [engine.runtimes.join(' and ')]),
    `${count(free)} ports free`,
  ];
  return (
    <p class="foot">
      <span>This host: {what.join(', ')}.</span>
      <a href={href('/host')}>All about the host</a>
    </p>
  );
}
